// What the metadata of a volume group means. Names are those of the LVM manual pages, sizes are bytes.

export type VolumeGroup = {
  readonly name: string
  readonly uuid: string
  /** Grows with every change of the metadata. */
  readonly seqno: number
  readonly extentSizeBytes: number
  /** Such as RESIZEABLE, READ, WRITE, EXPORTED. */
  readonly status: readonly string[]
  /** In the order of the text: the index is the device of the extents of its logical volumes. */
  readonly physicalVolumes: readonly GroupDevice[]
  readonly logicalVolumes: readonly LogicalVolume[]
}

/** A physical volume as its group sees it. */
export type GroupDevice = {
  /** Within the metadata only: pv0, pv1. */
  readonly name: string
  readonly uuid: string
  /** Where it was seen last, such as /dev/sda: a hint only. */
  readonly deviceHint: string
  /** 0 where the text does not say. */
  readonly deviceSizeBytes: number
  /** Where extent 0 begins. */
  readonly peStartBytes: number
  readonly peCount: number
  /** The group itself goes without it. */
  readonly isMarkedMissing: boolean
  /** The image that it was found on, null when it was on none. */
  readonly image: GroupImage | null
}

export type GroupImage = {
  /** The index in the list of images that the group was put together from. */
  readonly index: number
  readonly sizeBytes: number
  /** Where its label lies and its metadata areas and boot loader areas are; never free. */
  readonly ownRanges: readonly { readonly offset: number; readonly length: number }[]
  /** False when what it holds of the metadata is older than the group's, or cannot be read and may be newer. */
  readonly isCurrent: boolean
}

export type LogicalVolume = {
  readonly name: string
  readonly uuid: string
  /** False for the parts that others are made of: a pool's data, a snapshot's link to its origin. */
  readonly isVisible: boolean
  readonly isReadOnly: boolean
  readonly tags: readonly string[]
  /** Since 1970, in whole seconds; 0 where the text does not say. */
  readonly createdAtMs: number
  readonly extentCount: number
  readonly sizeBytes: number
  /** Ascending, from extent 0 without a gap. */
  readonly segments: readonly Segment[]
}

export type Segment = SegmentExtents & SegmentKind

/** Extents of the logical volume. */
export type SegmentExtents = { readonly startExtent: number; readonly extentCount: number }

export type SegmentKind =
  /** Linear with one area: then `stripeSizeBytes` is the whole. */
  | { readonly kind: 'striped'; readonly stripeSizeBytes: number; readonly areas: readonly SegmentArea[] }
  | { readonly kind: 'zero' }
  | ({ readonly kind: 'thin-pool' } & ThinPoolSegment)
  | ({ readonly kind: 'thin' } & ThinSegment)
  | ({ readonly kind: 'snapshot' } & SnapshotSegment)
  /** A type by its name, that is not mapped: raid5, cache, vdo, error… */
  | {
      readonly kind: 'unmapped'
      readonly type: string
      readonly uses: readonly PhysicalUse[]
      /** All strings in it that may be names of other logical volumes. */
      readonly names: readonly string[]
    }

/** Where the extents of an area begin: on a physical volume, or in another logical volume of the group. */
export type SegmentArea =
  | { readonly kind: 'physical'; readonly device: number; readonly startExtent: number }
  | { readonly kind: 'logical'; readonly volumeName: string; readonly startExtent: number }

/** Physical extents that are in use. */
export type PhysicalUse = {
  readonly device: number
  readonly startExtent: number
  readonly extentCount: number
}

export type ThinPoolSegment = {
  readonly dataVolumeName: string
  readonly metadataVolumeName: string
  readonly transactionId: number
  readonly chunkSizeBytes: number
  /** New chunks are zeroed before they are given out. */
  readonly zeroesNewChunks: boolean
  /** ignore, nopassdown or passdown. */
  readonly discards: string
  /** The pool is still to be told of volumes that were made or removed: its metadata is behind. */
  readonly hasPendingMessages: boolean
}

export type ThinSegment = {
  readonly poolName: string
  readonly deviceId: number
  readonly transactionId: number
  /** The thin volume that it was a snapshot of, while that exists. */
  readonly originName: string | null
  /** A volume outside the pool that has what the thin volume has not. */
  readonly externalOriginName: string | null
  /** The thin volume that it is about to become. */
  readonly mergeName: string | null
}

export type SnapshotSegment = {
  readonly originName: string
  /** The volume that users see as the snapshot, and that its exceptions lie on. */
  readonly storeName: string
  readonly chunkSizeBytes: number
  /** The origin is becoming the snapshot. */
  readonly isMerging: boolean
}

/** A name for sentences: group/volume. */
export function volumePath(group: VolumeGroup, volume: LogicalVolume): string {
  return `${group.name}/${volume.name}`
}
