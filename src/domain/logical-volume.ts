/** A logical volume as LVM reports it. */
export type LvmVolume = {
  readonly uuid: string
  readonly name: string
  readonly groupName: string
  readonly groupUuid: string
  readonly sizeBytes: number
  /** The type of its first segment: linear, striped, thin, thin-pool, … */
  readonly segmentType: string
  /** A classic snapshot, whose own segments are its store. */
  readonly isClassicSnapshot: boolean
  readonly isActive: boolean
  readonly poolName: string | null
  /** Of a thin volume, its number in the pool's metadata. */
  readonly thinId: number | null
  readonly originUuid: string | null
  readonly tags: readonly string[]
  /** Since 1970. */
  readonly createdAtMs: number
}

/** The UUIDs of a volume that people see, as LVM writes them. */
export type VolumeId = Pick<LvmVolume, 'groupUuid' | 'uuid'>

export type LvmGroup = {
  readonly name: string
  readonly uuid: string
  readonly freeBytes: number
  readonly extentSizeBytes: number
  /** Where its physical volumes are now. */
  readonly diskPaths: readonly string[]
}

/** What device-mapper says of an active thin pool. */
export type PoolStatus = {
  readonly transactionId: number
  readonly metadataUsedBlocks: number
  readonly metadataTotalBlocks: number
  readonly dataUsedBlocks: number
  readonly dataTotalBlocks: number
  /** Of the pool's data volume. */
  readonly dataSizeBytes: number
  /** A metadata snapshot is reserved. */
  readonly hasMetadataSnapshot: boolean
  /** Null when the pool can be written; else what it says instead, such as `out_of_data_space`. */
  readonly trouble: string | null
}

/** What device-mapper says of a classic snapshot. */
export type SnapshotStatus =
  | { readonly kind: 'whole'; readonly usedSectors: number; readonly totalSectors: number }
  /** Such as Invalid, Overflow, Merge failed. */
  | { readonly kind: 'lost'; readonly what: string }
