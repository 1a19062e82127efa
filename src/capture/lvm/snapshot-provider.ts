import type { Clock } from '../../domain/clock.ts'
import type { LvmGroup, LvmVolume } from '../../domain/logical-volume.ts'
import type { Randomness } from '../../domain/randomness.ts'
import { FREEZE_DEADLINE_DEFAULT_MS } from '../hooks/hook.ts'
import type { FreezeRequest, FrozenGroup, Provider } from '../provider/provider.ts'
import type { FreezeHow, FreezeWindow } from './freeze-together.ts'
import {
  freezings,
  frozenVolumes,
  madeAmong,
  originsOf,
  type Freezing,
  type FrozenVolume,
} from './frozen-volumes.ts'
import { releaseVolume, type HeldVolume } from './held-volumes.ts'
import type { LiveGroup } from './live-group.ts'
import { LiveGroups } from './live-groups.ts'
import type { LvmTools } from './lvm-tools.ts'
import type { HeldWatch } from './watch-held.ts'

export type LvmProviderParts = {
  readonly tools: LvmTools
  readonly randomness: Randomness
  readonly clock: Clock
}

/** What one kind of snapshot does in its own way. */
export type SnapshotKind = {
  readonly name: string
  /** Those of this kind that are ours among the volumes of some groups; these have all that one is told by. */
  heldAmong(
    volumes: readonly LvmVolume[],
    roomOf: RoomOfGroup,
    signal: AbortSignal,
  ): Promise<readonly HeldVolume[]>
  /** Looks whether the volumes can be frozen. Throws what is in the way. */
  plan(what: ToFreeze, signal: AbortSignal): Promise<SnapshotPlan>
  /** Opens a snapshot that was made; what stays open is disposed of with `stack`. */
  open(made: HeldVolume, disks: OpenDisks, signal: AbortSignal): Promise<FrozenVolume>
}

export type RoomOfGroup = (groupUuid: string, signal: AbortSignal) => Promise<Pick<LvmGroup, 'freeBytes'>>

export type ToFreeze = {
  readonly origins: readonly LvmVolume[]
  readonly request: FreezeRequest
  readonly groups: LiveGroups
  /** What is held in their groups already. */
  readonly before: readonly HeldVolume[]
}

export type OpenDisks = {
  readonly live: LiveGroup
  readonly stack: AsyncDisposableStack
  /** What was held already when the snapshots were made. */
  readonly before: readonly HeldVolume[]
}

export type SnapshotPlan = {
  make(wanted: readonly Freezing[], how: FreezeMoment): Promise<FreezeWindow>
  /** `made` is empty as long as the snapshots have not been looked for. */
  watch(window: FreezeWindow, made: readonly HeldVolume[]): HeldWatch
}

export type FreezeMoment = Pick<FreezeHow, 'clock' | 'deadlineMs' | 'groups' | 'signal'>

/** Freezes volumes by snapshots that LVM makes of them. */
export function snapshotProvider(parts: LvmProviderParts, kind: SnapshotKind): Provider {
  return {
    name: kind.name,
    freeze: (request, signal) => freeze(parts, { kind, request }, signal),
    held: async (signal) => {
      const volumes = await parts.tools.listVolumes(signal)
      const roomOf = (uuid: string, now: AbortSignal): Promise<LvmGroup> => parts.tools.readGroup(uuid, now)
      return (await kind.heldAmong(volumes, roomOf, signal)).map(({ held }) => held)
    },
    release: (image, signal) => releaseVolume(parts.tools, image, signal),
  }
}

async function freeze(
  { tools, randomness, clock }: LvmProviderParts,
  { kind, request }: { readonly kind: SnapshotKind; readonly request: FreezeRequest },
  signal: AbortSignal,
): Promise<FrozenGroup> {
  const { freezeDeadlineMs: deadlineMs = FREEZE_DEADLINE_DEFAULT_MS } = request
  await using stack = new AsyncDisposableStack()
  const groups = stack.use(new LiveGroups(tools))
  const sources = await Promise.all(
    request.sources.map(async (path) => ({ path, id: await tools.volumeIdAt(path) })),
  )
  // What is no volume is told by whoever looks for it.
  const groupUuids = [...new Set(sources.flatMap(({ id }) => id?.groupUuid ?? []))]
  const roomOf: RoomOfGroup = (uuid, now) => groups.room(uuid, now)
  const volumes = await groups.volumes(groupUuids, signal)
  const origins = originsOf(sources, volumes)
  const before = await kind.heldAmong(volumes, roomOf, signal)
  const plan = await kind.plan({ origins, request, groups, before }, signal)
  const wanted = freezings(origins, request, () => randomness.bytes(6).toHex())
  const window = await plan.make(wanted, { clock, deadlineMs, groups, signal })
  stack.defer(() => window.remove())
  const made: HeldVolume[] = []
  // From now on: what comes before the first read may take long.
  const watch = stack.use(plan.watch(window, made))
  const whileHeld = AbortSignal.any([signal, watch.lost])
  await request.whenFrozen?.()
  whileHeld.throwIfAborted()
  const held = await kind.heldAmong(await groups.volumes(groupUuids, whileHeld), roomOf, whileHeld)
  made.push(...wanted.map((one) => madeAmong(held, ({ volume }) => volume, one)))
  const images: FrozenVolume[] = []
  for (const one of made) {
    const live = await groups.open(one.volume.groupUuid, whileHeld)
    const image = await kind.open(one, { live, stack, before }, whileHeld)
    images.push({ ...image, heldBefore: before.map((earlier) => earlier.held) })
  }
  const open = stack.move()
  return frozenVolumes({
    tools,
    images,
    watch,
    windowMs: window.windowMs,
    // Also elsewhere: the lineage's base may lie in a group that its volumes have left.
    heldNow: async (now) => kind.heldAmong(await groups.allVolumes(now), roomOf, now),
    close: async (isKept) => {
      if (isKept) window.handOver()
      await open.disposeAsync()
    },
  })
}
