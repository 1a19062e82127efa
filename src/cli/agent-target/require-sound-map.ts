import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import type { DeviceIdentity } from '../../domain/device-identity.ts'
import type { Extent } from '../../domain/extent.ts'
import type { Range } from '../../domain/range.ts'

/** What direct I/O needs at most. */
const ALIGNMENT = 4096
const EXTENTS_MAX = 1_000_000

type DataExtent = Extract<Extent, { kind: 'data' }>

export type MapToWrite = {
  readonly sizeBytes: number
  readonly extentCount: number
  extentsIn(range: Range): Iterable<Extent>
}

/**
 * Requires that a map can be written by: every byte of the target lies on a disk, within it, in whole blocks, and no two at
 * one place. Returns the numbers of the devices that it lies on. Throws TARGET_UNSUITABLE.
 */
export function requireSoundMap(
  map: MapToWrite,
  about: { readonly path: string; readonly devices: readonly DeviceIdentity[] },
): readonly number[] {
  const { sizeBytes, extentCount } = map
  const fail = (found: string): BackupError => {
    const message = `Cannot write "${about.path}" on the storage: ${found}`
    return new BackupError(ErrorCode.TargetUnsuitable, message, { data: { path: about.path } })
  }
  if (extentCount > EXTENTS_MAX) throw fail(`it is in ${extentCount} pieces, at most are ${EXTENTS_MAX}`)
  const extents: DataExtent[] = []
  for (const extent of map.extentsIn({ offset: 0, length: sizeBytes })) {
    if (extent.kind !== 'data') throw fail(`its bytes ${extent.offset}+${extent.length} lie on no disk`)
    const { physicalOffset, length, offset, device } = extent
    const isWhole = [physicalOffset, length, offset].every((value) => value % ALIGNMENT === 0)
    if (!isWhole) throw fail(`its bytes ${offset}+${length} do not lie in whole blocks of ${ALIGNMENT}`)
    const disk = about.devices[device]
    if (disk === undefined || physicalOffset < 0 || physicalOffset + length > disk.sizeBytes) {
      throw fail(`its bytes ${offset}+${length} lie outside of its disks`)
    }
    extents.push(extent)
  }
  const sorted = extents.toSorted((a, b) => a.device - b.device || a.physicalOffset - b.physicalOffset)
  for (const [index, extent] of sorted.entries()) {
    const before = sorted[index - 1]
    if (before?.device !== extent.device) continue
    if (before.physicalOffset + before.length <= extent.physicalOffset) continue
    throw fail(`its bytes ${before.offset} and ${extent.offset} lie at one place of a disk`)
  }
  return [...new Set(sorted.map(({ device }) => device))]
}
