import { formatByteSize } from '../../domain/byte-size.ts'
import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import type { LvmGroup, LvmVolume } from '../../domain/logical-volume.ts'

/** Of its origin. What LVM's own examples take, and what a night's run on a busy volume seldom fills. */
const STORE_SHARE = 0.2
/** Its header and first exceptions, and something to hold. */
const STORE_MIN_BYTES = 4 * 1024 * 1024

/**
 * How large the store of a snapshot is made: so much of its origin, in whole extents. Throws NO_ROOM_TO_FREEZE when the
 * group has not so much left: a store that is too small loses the snapshot in the middle of the run.
 */
export function storeSizeFor(origin: LvmVolume, group: LvmGroup, share: number = STORE_SHARE): number {
  const wanted = Math.max(STORE_MIN_BYTES, origin.sizeBytes * share)
  const sizeBytes = Math.ceil(wanted / group.extentSizeBytes) * group.extentSizeBytes
  if (sizeBytes <= group.freeBytes) return sizeBytes
  const message =
    `Cannot freeze "${origin.groupName}/${origin.name}": volume group "${group.name}" has ${formatByteSize(group.freeBytes)} free, ` +
    `required are ${formatByteSize(sizeBytes)} for what may be written while the snapshot is held`
  throw new BackupError(ErrorCode.NoRoomToFreeze, message, { data: { group: group.name, sizeBytes } })
}
