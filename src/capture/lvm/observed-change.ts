import type { Clock } from '../../domain/clock.ts'
import { isBackupError } from '../../domain/backup-error.ts'
import type { LvmVolume } from '../../domain/logical-volume.ts'
import { differenceOfThinVolumes } from '../../formats/dm-thin/thin-difference.ts'
import { FormatError, UnmappedError } from '../../formats/format-error.ts'
import { openPool } from '../../formats/volume-stack/open-pool.ts'
import type { HeldImage } from '../provider/held-image.ts'
import { pathOf } from './held-volumes.ts'
import type { LiveGroups } from './live-groups.ts'
import type { LvmTools } from './lvm-tools.ts'
import { withMetadataSnapshot, type PoolName } from './metadata-snapshot.ts'
import { thinContent } from './thin-content.ts'

/** For so long a run is given room. What is held after it grows as the base before did, which is freed then. */
const RUN_MS = 3_600_000

/**
 * What may be written to a thin volume while a run lasts, by what was since its base was frozen. A base that is younger
 * than a run says nothing of an hour: it counts as one of that age.
 */
export function expectedChangeBytes(changed: { readonly bytes: number; readonly sinceMs: number }): number {
  return Math.ceil((changed.bytes * RUN_MS) / Math.max(changed.sinceMs, RUN_MS))
}

/** The bytes of `origin` that were written since `base`, in whole blocks of the pool; 0 where nobody can say. */
export async function observedChange(
  parts: { readonly tools: LvmTools; readonly clock: Clock; readonly groups: LiveGroups },
  of: { readonly origin: LvmVolume; readonly pool: PoolName; readonly base: HeldImage },
  signal: AbortSignal,
): Promise<{ readonly bytes: number; readonly sinceMs: number }> {
  const { tools, clock, groups } = parts
  const { origin, pool, base } = of
  const sinceMs = clock.now().getTime() - base.createdAtMs
  const live = await groups.open(origin.groupUuid, signal)
  const read = async (): Promise<number> => {
    const group = await live.read()
    const before = thinContent(group, base)
    const after = thinContent(group, { id: origin.uuid, label: pathOf(origin) })
    if (before.pool.volume.uuid !== after.pool.volume.uuid) return 0
    const metadata = await openPool(group, after.pool, { snapshot: true })
    const ranges = differenceOfThinVolumes(
      { pool: metadata, deviceId: before.deviceId },
      { pool: metadata, deviceId: after.deviceId },
      signal,
    )
    let bytes = 0
    for await (const batch of ranges) for (const { length } of batch) bytes += length
    return bytes
  }
  try {
    return { bytes: await withMetadataSnapshot(tools, pool, { read, signal }), sinceMs }
  } catch (error) {
    // Whoever compares with this base says what is wrong with it.
    if (isBackupError(error) || error instanceof FormatError || error instanceof UnmappedError)
      return { bytes: 0, sinceMs }
    throw error
  }
}
