import { formatByteSize } from '../../domain/byte-size.ts'
import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import type { LvmGroup, LvmVolume } from '../../domain/logical-volume.ts'
import { pathOf } from './held-volumes.ts'

/** Of its origin. What LVM's own examples take, and what a night's run on a busy volume seldom fills. */
const STORE_SHARE = 0.2
/** Its header and first exceptions, and something to hold. */
const STORE_MIN_BYTES = 4 * 1024 * 1024

type GroupRoom = Pick<LvmGroup, 'name' | 'freeBytes' | 'extentSizeBytes'>
type RoomOf = (groupUuid: string, signal: AbortSignal) => Promise<GroupRoom>

/**
 * How large the stores are made, for each of the origins: their groups must have room for all of them together. Throws
 * SOURCE_UNSUITABLE for a volume that has no classic snapshots, NO_ROOM_TO_FREEZE.
 */
export async function storeSizes(
  how: { readonly roomOf: RoomOf; readonly storeShare: number | undefined },
  origins: readonly LvmVolume[],
  signal: AbortSignal,
): Promise<ReadonlyMap<LvmVolume, number>> {
  const sizes = new Map<LvmVolume, number>()
  const groups = new Map<string, GroupRoom>()
  for (const origin of origins) {
    const { groupUuid } = origin
    requireSuitable(origin)
    const group = groups.get(groupUuid) ?? (await how.roomOf(groupUuid, signal))
    const sizeBytes = storeSizeFor(origin, group, how.storeShare)
    sizes.set(origin, sizeBytes)
    groups.set(groupUuid, { ...group, freeBytes: group.freeBytes - sizeBytes })
  }
  return sizes
}

function requireSuitable(origin: LvmVolume): void {
  if (origin.segmentType !== 'linear' && origin.segmentType !== 'striped') {
    throw unsuitable(origin, `it is ${origin.segmentType}`)
  }
  if (origin.isClassicSnapshot) throw unsuitable(origin, 'it is a snapshot itself')
  if (!origin.isActive) throw unsuitable(origin, 'it is not active')
}

function unsuitable(origin: LvmVolume, found: string): BackupError {
  const message = `Cannot freeze "${pathOf(origin)}" by a snapshot: ${found}, required is an active linear or striped volume`
  return new BackupError(ErrorCode.SourceUnsuitable, message, { data: { volume: pathOf(origin) } })
}

/**
 * How large the store of a snapshot is made: so much of its origin, in whole extents. Throws NO_ROOM_TO_FREEZE when the
 * group has not so much left: a store that is too small loses the snapshot in the middle of the run.
 */
export function storeSizeFor(origin: LvmVolume, group: GroupRoom, share: number = STORE_SHARE): number {
  const wanted = Math.max(STORE_MIN_BYTES, origin.sizeBytes * share)
  const sizeBytes = Math.ceil(wanted / group.extentSizeBytes) * group.extentSizeBytes
  if (sizeBytes <= group.freeBytes) return sizeBytes
  const message =
    `Cannot freeze "${origin.groupName}/${origin.name}": volume group "${group.name}" has ${formatByteSize(group.freeBytes)} free, ` +
    `required are ${formatByteSize(sizeBytes)} for what may be written while the snapshot is held`
  throw new BackupError(ErrorCode.NoRoomToFreeze, message, { data: { group: group.name, sizeBytes } })
}
