import type { DeviceIdentity } from '../domain/device-identity.ts'
import type { ImageRecord, VolumeRecord } from '../domain/ledger.ts'
import type { Range, RangeBatch } from '../domain/range.ts'

/** A stream of ranges that can be walked more than once; each walk asks the system, or reads the file, again. */
export type RangeStream = () => AsyncIterable<RangeBatch>

/** What lies elsewhere than the lanes were told. */
export type MovedExtents = {
  /** Of the image, ascending. */
  readonly ranges: readonly Range[]
  /** The whole map as it is now, in its compact encoding, for `SealLanes.remap()`. */
  readonly map: Uint8Array<SharedArrayBuffer>
}

/** What the mover needs to know of one image. */
export type BackupSource = {
  /** The object's name in the point. */
  readonly name: string
  readonly kind: 'volume' | 'files'
  readonly path: string
  readonly type: 'file' | 'device'
  readonly identity: DeviceIdentity | null
  readonly sizeBytes: number
  /** Where data lies; the rest are holes, or proven free. */
  dataRanges(range: Range, signal: AbortSignal): AsyncIterable<RangeBatch>
  /** Changes when the source was written to or is another one. */
  fingerprint(): Promise<string>
  /** The ranges that are said to have changed since the base, ascending, checked; null without a list. */
  readonly changes: RangeStream | null
  /**
   * Where the base run found data, when it may have found less than there is now: what it left out is zeros in the
   * base, whatever the source had there, so no change list tells of it. Null when the base left nothing out.
   */
  readonly baseData: RangeStream | null
  /**
   * What is proven free now, and so is no data. The base may have bytes there, of a file that was deleted since: they
   * need not be in a change list. Absent when nothing is left out.
   */
  readonly freeRanges?: RangeStream
  /**
   * Asks the system which extents moved since the map was made, or since the last question; null when none did. Throws
   * IMAGE_LOST. Absent for an image that cannot move.
   */
  readonly identify?: (signal: AbortSignal) => Promise<MovedExtents | null>
  /**
   * Compares random ranges, read where the lanes read, with what whoever froze them reads: how many. Throws
   * CHALLENGE_FAILED. Asked before the first read and after the last; absent where nobody else can tell.
   */
  readonly challenge?: (signal: AbortSignal) => Promise<number>
  /** For the ledger: the frozen image that it is, where icecore froze it. */
  readonly image?: Omit<ImageRecord, 'movedBytes' | 'challengeCount'>
  readonly freeBytes: number | null
  readonly volumes: readonly VolumeRecord[]
}
