// What lies on the images of a source, layer by layer: partitions, volume groups, logical volumes, file systems.

import type { FrozenImage } from '../../domain/frozen-image.ts'
import type { ExtentLookup } from '../../images/mapped-image.ts'
import type { FileSystem } from '../file-system.ts'
import type { Finding } from '../finding.ts'
import type { LogicalVolume, VolumeGroup } from '../lvm2/volume-group.ts'
import type { Partition, PartitionTable } from '../partition-table.ts'

export type Volume = {
  /** How people name it: empty for the image itself, `p1` for a partition, `vg0/home` for a logical volume, `vg0/disk/p1`. */
  readonly name: string
  readonly origin: VolumeOrigin
  /** Its bytes, borrowed from the images of the source. */
  readonly image: FrozenImage
  readonly content: VolumeContent
}

/** What makes it a volume. */
export type VolumeOrigin =
  /** It is one of the images that were given, by its index. */
  | { readonly kind: 'image'; readonly index: number }
  | { readonly kind: 'partition'; readonly disk: Volume; readonly partition: Partition }
  | {
      readonly kind: 'logical-volume'
      readonly group: StackGroup
      readonly volume: LogicalVolume
      /** What it lies on: device `i` of `map` is `devices[i]`, null for one that is not there. */
      readonly devices: readonly (Volume | null)[]
      readonly map: ExtentLookup
      readonly type: 'segments' | 'thin' | 'snapshot'
    }

/** What lies on a volume. */
export type VolumeContent =
  | { readonly kind: 'partition-table'; readonly table: PartitionTable }
  /** A part of a volume group; `stack.groups` has the group, if it could be put together. */
  | { readonly kind: 'physical-volume' }
  | { readonly kind: 'file-system'; readonly fileSystem: FileSystem }
  /** Nothing but zeros wherever a known format has its mark. */
  | { readonly kind: 'empty' }
  /** Known by its mark but not read, unknown, ambiguous or damaged: all of it is data. */
  | { readonly kind: 'unmapped'; readonly what: string; readonly reason: string }

/** A volume group and the volumes that are its disks. */
export type StackGroup = {
  readonly group: VolumeGroup
  /** By the index of its physical volumes; null for one that is not on the images. */
  readonly devices: readonly (Volume | null)[]
}

/** A logical volume that cannot be mapped, by name. */
export type UnmappedVolume = {
  readonly name: string
  readonly group: StackGroup
  readonly what: string
  readonly reason: string
}

/** All that lies on some images. */
export type VolumeStack = {
  /** Each before what lies on it. */
  readonly volumes: readonly Volume[]
  readonly groups: readonly StackGroup[]
  readonly unmapped: readonly UnmappedVolume[]
  /** Odd things in partition tables and volume groups; those of a file system are its own. */
  readonly findings: readonly (Finding & { readonly volume: string })[]
}
