import type { Clock } from '../../domain/clock.ts'
import type { LvmVolume } from '../../domain/logical-volume.ts'
import { madeAmong, type Freezing } from './frozen-volumes.ts'
import type { LiveGroups } from './live-groups.ts'
import type { EmptySnapshot, LvmTools } from './lvm-tools.ts'

export type FreezeHow = {
  /** Makes one snapshot by a command of LVM. */
  readonly create: (snapshot: Freezing) => Promise<void>
  /** Has one of several that LVM made, each in its own moment, ready to begin anew: whatever takes its time. */
  readonly prepare: (snapshot: LvmVolume, origin: LvmVolume) => Promise<EmptySnapshot>
  /** So long several volumes may stand still. */
  readonly deadlineMs: number
  readonly clock: Clock
  readonly groups: LiveGroups
  readonly signal: AbortSignal
}

export type FreezeWindow = {
  readonly windowMs: number
  /** Removes the snapshots, unless they were handed over. */
  remove(): Promise<void>
  handOver(): void
}

/**
 * Makes snapshots of volumes in one moment. LVM makes one after the other, which takes its programs seconds, and all
 * writers would wait for that. So LVM makes the snapshots first; then all volumes are suspended, with their file systems
 * at a clean point, and the kernel alone lets each snapshot begin anew before one of them is written. A single volume is
 * suspended by LVM alone.
 */
export async function freezeTogether(
  tools: LvmTools,
  wanted: readonly Freezing[],
  how: FreezeHow,
): Promise<FreezeWindow> {
  const made: Freezing[] = []
  try {
    const windowMs =
      wanted.length > 1
        ? await freezeSeveral(tools, wanted, { ...how, made })
        : await freezeOne(wanted, { ...how, made })
    let isHandedOver = false
    return {
      windowMs,
      remove: async () => {
        if (!isHandedOver) await removeMade(tools, how.groups, made)
      },
      handOver: () => {
        isHandedOver = true
      },
    }
  } catch (error) {
    await removeMade(tools, how.groups, made)
    throw error
  }
}

type Making = FreezeHow & {
  /** Also one that fails half-way may have left something. */
  readonly made: Freezing[]
}

async function freezeOne(wanted: readonly Freezing[], { create, clock, made }: Making): Promise<number> {
  const startedAt = clock.now().getTime()
  for (const one of wanted) {
    made.push(one)
    await create(one)
  }
  return clock.now().getTime() - startedAt
}

async function freezeSeveral(tools: LvmTools, wanted: readonly Freezing[], making: Making): Promise<number> {
  const { create, prepare, groups, made, deadlineMs, signal } = making
  made.push(...wanted)
  for (const one of wanted) await create(one)
  const origins = wanted.map(({ origin }) => origin)
  const volumes = await groups.volumes(
    origins.map(({ groupUuid }) => groupUuid),
    signal,
  )
  const prepared: EmptySnapshot[] = []
  for (const one of wanted) {
    const snapshot = madeAmong(volumes, (volume) => volume, one)
    prepared.push(await prepare(snapshot, one.origin))
  }
  await using suspended = await tools.suspend(origins, deadlineMs, signal)
  for (const snapshot of prepared) await snapshot.begin()
  return (await suspended.resume()).windowMs
}

async function removeMade(tools: LvmTools, groups: LiveGroups, made: readonly Freezing[]): Promise<void> {
  const { signal } = new AbortController()
  const names = new Set(made.map(({ name, origin }) => `${origin.groupUuid}/${name}`))
  const volumes = await groups.volumes(
    made.map(({ origin }) => origin.groupUuid),
    signal,
  )
  const own = volumes.filter(({ groupUuid, name }) => names.has(`${groupUuid}/${name}`))
  await tools.removeVolumes(own, signal)
}
