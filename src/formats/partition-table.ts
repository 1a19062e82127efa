import type { Range } from '../domain/range.ts'
import type { Finding } from './finding.ts'

export type Partition = {
  /** As Linux numbers it: `sda5` is 5. */
  readonly number: number
  /** Within the disk. */
  readonly range: Range
  /** A GUID in lower case, or `0x83`. */
  readonly typeId: string
  /** Null for a type that is not in our table. */
  readonly typeName: string | null
  /** Empty where there is none: in every MBR. */
  readonly name: string
  /** What Linux calls PARTUUID; null in an MBR whose disk has no identifier. */
  readonly uuid: string | null
  /** Such as `required`, `active`, `bit 60`. */
  readonly flags: readonly string[]
  /**
   * True when some of its bytes are also another partition's, or the table's. What lies in it may then be written
   * over from elsewhere: it proves nothing free.
   */
  readonly overlaps: boolean
}

/** What a disk's partition table says. */
export type PartitionTable = {
  readonly format: 'gpt' | 'mbr'
  /** The unit that the table counts in. */
  readonly sectorSizeBytes: number
  /** Of the disk: a GUID, or eight hexadecimal digits. */
  readonly uuid: string
  /** By number. Only those that lie wholly within the disk. */
  readonly partitions: readonly Partition[]
  /** Extended partitions of an MBR: their logical partitions are in `partitions`, and the rest of them is gap. */
  readonly containers: readonly Partition[]
  /** What of the disk is the table itself: ascending, not overlapping, all sound copies of it. */
  readonly metadataRanges: readonly Range[]
  readonly findings: readonly Finding[]
}
