import { formatByteSize } from '../../domain/byte-size.ts'
import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import type { PoolStatus } from '../../domain/logical-volume.ts'
import { requireWorking, type PoolName } from './metadata-snapshot.ts'

/** The metadata of dm-thin lies in blocks of this size. */
const METADATA_BLOCK_BYTES = 4096
/** A leaf of the mappings is half full at least: so many bytes for each of them, measured from 17 to 33. */
const METADATA_BYTES_PER_MAPPING = 33
/** Nodes along the paths of the first writes after a snapshot are copied: that much is used at once. */
const METADATA_BYTES_AT_ONCE = 1024 * 1024
/** A pool that is fuller than this is about to hurt its volumes, with or without a snapshot. */
const DATA_FULL_SHARE = 0.95
const METADATA_FULL_SHARE = 0.9

/** What a snapshot may cost while it is held. */
export type ExpectedChange = {
  /** Bytes of the volume that are written while it is held; what was observed, or a careful guess. */
  readonly changedBytes: number
  /** The sizes of the volumes, all together. */
  readonly volumeBytes: number
}

/**
 * Throws NO_ROOM_TO_FREEZE when the pool has not the room for what may change: each block that is written while a
 * snapshot holds it is stored a second time; and each leaf of the mappings, once, at the first such block in it.
 */
export function requireRoomInPool(
  pool: PoolName,
  status: PoolStatus,
  expected: ExpectedChange = { changedBytes: 0, volumeBytes: 0 },
): void {
  requireWorking(pool, status)
  const data = roomOf({
    used: status.dataUsedBlocks,
    total: status.dataTotalBlocks,
    blockBytes: status.dataSizeBytes / status.dataTotalBlocks,
    fullShare: DATA_FULL_SHARE,
  })
  const metadata = roomOf({
    used: status.metadataUsedBlocks,
    total: status.metadataTotalBlocks,
    blockBytes: METADATA_BLOCK_BYTES,
    fullShare: METADATA_FULL_SHARE,
  })
  const blockBytes = status.dataSizeBytes / status.dataTotalBlocks
  // Scattered writes touch a leaf each; more than all leaves there are not.
  const touchedBytes = Math.ceil(expected.changedBytes / blockBytes) * METADATA_BLOCK_BYTES
  const wholeBytes = Math.ceil(expected.volumeBytes / blockBytes) * METADATA_BYTES_PER_MAPPING
  const metadataBytes = METADATA_BYTES_AT_ONCE + Math.min(touchedBytes, wholeBytes)
  if (data.roomBytes <= expected.changedBytes) {
    throw noRoom(pool, { what: 'data', room: data, neededBytes: expected.changedBytes })
  }
  if (metadata.roomBytes <= metadataBytes) {
    throw noRoom(pool, { what: 'metadata', room: metadata, neededBytes: metadataBytes })
  }
}

/** What is too full to go on holding a snapshot; null while there is room. */
export function fullPart(
  status: PoolStatus,
): { readonly what: 'data' | 'metadata'; readonly usedShare: number; readonly fullShare: number } | null {
  const data = status.dataUsedBlocks / status.dataTotalBlocks
  if (data >= DATA_FULL_SHARE) return { what: 'data', usedShare: data, fullShare: DATA_FULL_SHARE }
  const metadata = status.metadataUsedBlocks / status.metadataTotalBlocks
  if (metadata < METADATA_FULL_SHARE) return null
  return { what: 'metadata', usedShare: metadata, fullShare: METADATA_FULL_SHARE }
}

type Room = { readonly usedShare: number; readonly roomBytes: number; readonly fullShare: number }

function roomOf(of: { used: number; total: number; blockBytes: number; fullShare: number }): Room {
  const roomBytes = Math.max(0, (of.total * of.fullShare - of.used) * of.blockBytes)
  return { usedShare: of.used / of.total, roomBytes, fullShare: of.fullShare }
}

function noRoom(
  { groupName, poolName }: PoolName,
  { what, room, neededBytes }: { what: string; room: Room; neededBytes: number },
): BackupError {
  const message =
    `Cannot freeze a volume of thin pool "${groupName}/${poolName}": its ${what} is ${percent(room.usedShare)} full, ` +
    `up to ${percent(room.fullShare)} there is room for ${formatByteSize(Math.floor(room.roomBytes))}, ` +
    `required are ${formatByteSize(neededBytes)} for what may change while the snapshot is held`
  return new BackupError(ErrorCode.NoRoomToFreeze, message, { data: { pool: poolName, what } })
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}
