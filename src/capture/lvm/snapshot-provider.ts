import type { Clock } from '../../domain/clock.ts'
import type { LvmVolume } from '../../domain/logical-volume.ts'
import type { Randomness } from '../../domain/randomness.ts'
import { FREEZE_DEADLINE_DEFAULT_MS } from '../hooks/hook.ts'
import type { FreezeRequest, FrozenGroup, Provider } from '../provider/provider.ts'
import type { FreezeHow, FreezeWindow } from './freeze-together.ts'
import { freezings, frozenVolumes, originsOf, type Freezing, type FrozenVolume } from './frozen-volumes.ts'
import { foundAmong, releaseVolume, type HeldVolume } from './held-volumes.ts'
import { LiveGroup } from './live-group.ts'
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
  /** Those of this kind that are ours. */
  held(signal: AbortSignal): Promise<readonly HeldVolume[]>
  /** Looks whether the volumes can be frozen. Throws what is in the way. */
  plan(origins: readonly LvmVolume[], request: FreezeRequest, signal: AbortSignal): Promise<SnapshotPlan>
  /** Opens a snapshot that was made; what stays open is disposed of with `stack`. */
  open(made: HeldVolume, disks: OpenDisks, signal: AbortSignal): Promise<FrozenVolume>
}

export type OpenDisks = { readonly live: LiveGroup; readonly stack: AsyncDisposableStack }

export type SnapshotPlan = {
  make(wanted: readonly Freezing[], how: FreezeMoment): Promise<FreezeWindow>
  /** `made` is empty as long as the snapshots have not been looked for. */
  watch(window: FreezeWindow, made: readonly HeldVolume[]): HeldWatch
}

export type FreezeMoment = Pick<FreezeHow, 'clock' | 'deadlineMs' | 'signal'>

/** Freezes volumes by snapshots that LVM makes of them. */
export function snapshotProvider(parts: LvmProviderParts, kind: SnapshotKind): Provider {
  return {
    name: kind.name,
    freeze: (request, signal) => freeze(parts, { kind, request }, signal),
    held: async (signal) => (await kind.held(signal)).map(({ held }) => held),
    release: (image, signal) => releaseVolume(parts.tools, image, signal),
  }
}

async function freeze(
  { tools, randomness, clock }: LvmProviderParts,
  { kind, request }: { readonly kind: SnapshotKind; readonly request: FreezeRequest },
  signal: AbortSignal,
): Promise<FrozenGroup> {
  const { freezeDeadlineMs: deadlineMs = FREEZE_DEADLINE_DEFAULT_MS } = request
  const origins = await originsOf(tools, request.sources, await tools.listVolumes(signal))
  const plan = await kind.plan(origins, request, signal)
  const wanted = freezings(origins, request, () => randomness.bytes(6).toHex())
  await using stack = new AsyncDisposableStack()
  const window = await plan.make(wanted, { clock, deadlineMs, signal })
  stack.defer(() => window.remove())
  const made: HeldVolume[] = []
  // From now on: what comes before the first read may take long.
  const watch = stack.use(plan.watch(window, made))
  const whileHeld = AbortSignal.any([signal, watch.lost])
  await request.whenFrozen?.()
  whileHeld.throwIfAborted()
  const held = await kind.held(whileHeld)
  made.push(...wanted.map((one) => foundAmong(held, one)))
  const images: FrozenVolume[] = []
  for (const one of made) {
    const live = stack.use(await LiveGroup.open(tools, one.volume.groupUuid, whileHeld))
    images.push(await kind.open(one, { live, stack }, whileHeld))
  }
  const open = stack.move()
  return frozenVolumes({
    tools,
    images,
    watch,
    windowMs: window.windowMs,
    heldNow: (now) => kind.held(now),
    close: async (isKept) => {
      if (isKept) window.handOver()
      await open.disposeAsync()
    },
  })
}
