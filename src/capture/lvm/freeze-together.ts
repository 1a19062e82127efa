import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import type { Clock } from '../../domain/clock.ts'
import type { Freezing } from './frozen-volumes.ts'
import type { LvmTools } from './lvm-tools.ts'

export type FreezeHow = {
  /** Makes one snapshot; it may resume the volume. */
  readonly create: (snapshot: Freezing) => Promise<void>
  readonly clock: Clock
  readonly signal: AbortSignal
}

export type FreezeWindow = {
  readonly windowMs: number
  /** Removes the snapshots, unless they were handed over. */
  remove(): Promise<void>
  handOver(): void
}

/**
 * Makes snapshots of volumes in one moment: all are suspended, with their file systems at a clean point, before the
 * first snapshot is made. LVM resumes a volume when it has its snapshot; the others stand still until it is their turn,
 * so that all snapshots show the moment in which the last was suspended. A single volume is suspended by LVM alone.
 */
export async function freezeTogether(
  tools: LvmTools,
  wanted: readonly Freezing[],
  { create, clock, signal }: FreezeHow,
): Promise<FreezeWindow> {
  const made: Freezing[] = []
  const startedAt = clock.now().getTime()
  try {
    if (wanted.length > 1) for (const { origin } of wanted) await tools.suspend(origin, signal)
    for (const one of wanted) {
      made.push(one) // Also one that fails half-way may have left something.
      await create(one)
    }
  } catch (error) {
    await resumeAll(tools, wanted)
    await removeMade(tools, made)
    throw error
  }
  await resumeAll(tools, wanted)
  let isHandedOver = false
  return {
    windowMs: clock.now().getTime() - startedAt,
    remove: async () => {
      if (!isHandedOver) await removeMade(tools, made)
    },
    handOver: () => {
      isHandedOver = true
    },
  }
}

/** On every way out: a volume that stays suspended stops its writers for good. */
async function resumeAll(tools: LvmTools, wanted: readonly Freezing[]): Promise<void> {
  if (wanted.length < 2) return
  const failed: unknown[] = []
  for (const { origin } of wanted) {
    try {
      await tools.resume(origin)
    } catch (error) {
      failed.push(error)
    }
  }
  if (failed[0] === undefined) return
  const message = `Cannot resume all volumes after the freeze; required is "dmsetup resume" of each that "dmsetup info" calls suspended`
  throw new BackupError(ErrorCode.FreezeFailed, message, { cause: failed[0] })
}

async function removeMade(tools: LvmTools, made: readonly Freezing[]): Promise<void> {
  const { signal } = new AbortController()
  const names = new Set(made.map(({ name }) => name))
  const left = (await tools.listVolumes(signal)).filter(({ name }) => names.has(name))
  for (const volume of left) await tools.removeVolume(volume, signal)
}
