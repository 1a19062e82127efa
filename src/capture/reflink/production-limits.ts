import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import type { Room } from '../../domain/file-clone.ts'

/**
 * While a clone is held, each first write to a block of its source takes new space. Files that are written all the time
 * fill a file system that is nearly full, and then production fails: no clone is made below the first share of
 * free space, and a run's clone is dropped below the second.
 */
const FREEZE_SHARE_MIN = 1 / 32
const HOLD_SHARE_MIN = 1 / 64

/** Throws NO_ROOM_TO_FREEZE. */
export function requireRoomToFreeze(path: string, room: Room): void {
  if (share(room) >= FREEZE_SHARE_MIN) return
  const message = `Cannot freeze "${path}": its file system has ${room.freeBytes} of ${room.totalBytes} bytes free, required is ${percent(FREEZE_SHARE_MIN)}, so that what is written while the image is held finds space`
  throw new BackupError(ErrorCode.NoRoomToFreeze, message, { data: { path, ...room } })
}

/**
 * The file system takes 10 to 30 µs for each extent of a clone (measured: 1.2 million in 17 to 34 s on a busy machine), and
 * the file's writers wait.
 */
export const EXTENT_COUNT_MAX = 250_000

/** Throws FREEZE_FAILED. */
export function requireShortFreeze(path: string, extentCount: number): void {
  if (extentCount <= EXTENT_COUNT_MAX) return
  const message = `Cannot freeze "${path}" as a clone: it lies in more than ${EXTENT_COUNT_MAX} pieces, and its writers would wait for seconds; required is a file in fewer (xfs_fsr, btrfs filesystem defragment), or a snapshot of the volume`
  throw new BackupError(ErrorCode.FreezeFailed, message, { data: { path, extentCount } })
}

export function hasRoomToHold(room: Room): boolean {
  return share(room) >= HOLD_SHARE_MIN
}

/** The run's own image was dropped, for the sake of who writes to the source. */
export function droppedError(path: string, room: Room): BackupError {
  const message = `Cannot go on reading the frozen image of "${path}": it was dropped because its file system has only ${room.freeBytes} of ${room.totalBytes} bytes free, required is ${percent(HOLD_SHARE_MIN)}`
  return new BackupError(ErrorCode.ImageLost, message, { data: { path, ...room } })
}

function share({ freeBytes, totalBytes }: Room): number {
  return totalBytes === 0 ? 0 : freeBytes / totalBytes
}

function percent(value: number): string {
  return `${(value * 100).toFixed(1)} %`
}
