import assert from 'node:assert/strict'
import { UnmappedError } from '../format-error.ts'
import { findLogicalVolume } from './find-logical-volume.ts'
import { volumePath, type LogicalVolume, type ThinPoolSegment, type VolumeGroup } from './volume-group.ts'

/** How what a logical volume shows is found. */
export type VolumeContent =
  /** By its segments: `logicalVolumeExtents()`. */
  | { readonly kind: 'segments' }
  /** In its pool: the mapping of a device of the pool's metadata, over the pool's data volume. */
  | {
      readonly kind: 'thin'
      readonly pool: ThinPool
      readonly deviceId: number
      readonly transactionId: number
      /** The thin volume that it was a snapshot of, while that exists. */
      readonly originName: string | null
    }
  /** In its origin, but for what its store has. */
  | {
      readonly kind: 'snapshot'
      readonly origin: LogicalVolume
      /** Its segments are the exception store. */
      readonly store: LogicalVolume
      readonly chunkSizeBytes: number
      /** Of the snapshot: its origin may have grown since. */
      readonly sizeBytes: number
    }

/** A thin pool, and the two hidden volumes that it is made of. */
export type ThinPool = Omit<ThinPoolSegment, 'dataVolumeName' | 'metadataVolumeName'> & {
  readonly volume: LogicalVolume
  readonly dataVolume: LogicalVolume
  readonly metadataVolume: LogicalVolume
}

/**
 * How the content of a volume is found. Throws UnmappedError, by name, for what shows bytes that no map here gives:
 * a thin pool itself, an external origin, a volume that is being merged.
 */
export function volumeContent(group: VolumeGroup, volume: LogicalVolume): VolumeContent {
  requireNotMerging(group, volume)
  const snapshot = snapshotContent(group, volume)
  if (snapshot !== null) return snapshot
  const [segment] = volume.segments
  if (segment?.kind === 'thin-pool') {
    throw refusal({ group, volume }, 'thin pool', 'it shows nothing itself, its thin volumes do')
  }
  if (segment?.kind !== 'thin') return { kind: 'segments' }
  if (volume.segments.length > 1) {
    throw refusal({ group, volume }, 'thin volume of several segments', 'it has more than one segment')
  }
  if (segment.externalOriginName !== null) {
    throw refusal(
      { group, volume },
      'external origin',
      `what it has not itself lies on "${segment.externalOriginName}", outside its pool`,
    )
  }
  return {
    kind: 'thin',
    pool: thinPool(group, volumeNamed(group, segment.poolName)),
    deviceId: segment.deviceId,
    transactionId: segment.transactionId,
    originName: segment.originName,
  }
}

/** The pool that `volume` is. Throws UnmappedError when it is none. */
export function thinPool(group: VolumeGroup, volume: LogicalVolume): ThinPool {
  const [segment] = volume.segments
  if (segment?.kind !== 'thin-pool') {
    throw refusal({ group, volume }, 'no thin pool', 'it is not a thin pool')
  }
  return {
    volume,
    dataVolume: volumeNamed(group, segment.dataVolumeName),
    metadataVolume: volumeNamed(group, segment.metadataVolumeName),
    transactionId: segment.transactionId,
    chunkSizeBytes: segment.chunkSizeBytes,
    zeroesNewChunks: segment.zeroesNewChunks,
    discards: segment.discards,
    hasPendingMessages: segment.hasPendingMessages,
  }
}

/** Of two volumes that are becoming one, the metadata does not tell how far that has come. */
function requireNotMerging(group: VolumeGroup, volume: LogicalVolume): void {
  for (const other of group.logicalVolumes) {
    const [segment] = other.segments
    if (segment?.kind === 'snapshot' && segment.isMerging) {
      const { originName, storeName } = segment
      if (![originName, storeName, other.name].includes(volume.name)) continue
      throw refusal(
        { group, volume },
        'merging snapshot',
        `"${storeName}" is being merged into "${originName}"`,
      )
    }
    if (segment?.kind === 'thin' && segment.mergeName !== null) {
      if (![segment.mergeName, other.name].includes(volume.name)) continue
      throw refusal(
        { group, volume },
        'merging snapshot',
        `"${other.name}" is being merged into "${segment.mergeName}"`,
      )
    }
  }
}

/** A hidden volume that joins a store and its origin says that a volume is a snapshot; the store itself does not. */
function snapshotContent(group: VolumeGroup, volume: LogicalVolume): VolumeContent | null {
  for (const other of group.logicalVolumes) {
    const [segment] = other.segments
    if (segment?.kind !== 'snapshot') continue
    if (segment.storeName !== volume.name && other.name !== volume.name) continue
    return {
      kind: 'snapshot',
      origin: volumeNamed(group, segment.originName),
      store: volumeNamed(group, segment.storeName),
      chunkSizeBytes: segment.chunkSizeBytes,
      sizeBytes: other.sizeBytes,
    }
  }
  return null
}

/** References of a group that was parsed lead somewhere. */
function volumeNamed(group: VolumeGroup, name: string): LogicalVolume {
  const volume = findLogicalVolume(group, name)
  assert(volume !== null, 'requireSoundReferences() lets no other group pass')
  return volume
}

function refusal(
  { group, volume }: { readonly group: VolumeGroup; readonly volume: LogicalVolume },
  what: string,
  reason: string,
): UnmappedError {
  return new UnmappedError(what, `Cannot map logical volume "${volumePath(group, volume)}": ${reason}`)
}
