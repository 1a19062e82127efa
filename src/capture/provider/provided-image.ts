import type { DeviceIdentity } from '../../domain/device-identity.ts'
import type { FrozenImage } from '../../domain/frozen-image.ts'
import type { Range, RangeBatch } from '../../domain/range.ts'
import type { HeldImage } from './held-image.ts'

/** A frozen image, and what its provider knows of it. */
export type ProvidedImage = {
  readonly held: HeldImage
  /** Its map, whose devices are `devices` by number, and its bytes for who looks into it. */
  readonly image: FrozenImage
  readonly devices: readonly ImageDevice[]
  /** What its provider held just before it was frozen, bases among it. Absent where the provider has to be asked for that. */
  readonly heldBefore?: readonly HeldImage[]
  /**
   * What may differ from `base`, ascending; more may be named than differs, never less. Null when this provider
   * knows no changes. Throws CHANGES_UNKNOWN when it knows them of other bases, but not of this one.
   */
  readonly changesSince: ((base: HeldImage, signal: AbortSignal) => Promise<RangeStream>) | null
  /**
   * Asks the system whether the image is whole and its map still true, as of this moment: the ranges that lie
   * elsewhere now, of which `image.extents()` henceforth tells the new places. What was read of them since the last
   * question may be wrong. Throws IMAGE_LOST when the image is not whole any more.
   */
  identify(signal: AbortSignal): Promise<readonly Range[]>
}

/** May be walked any number of times. */
export type RangeStream = () => AsyncIterable<RangeBatch>

/** What extents lie on: a disk or a file, open for reading. The provider closes it. */
export type ImageDevice = {
  readonly path: string
  readonly fd: number
  readonly sizeBytes: number
  /** `fd` does direct I/O. */
  readonly direct: boolean
  readonly identity: DeviceIdentity | null
}
