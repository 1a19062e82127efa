import type { SparseBytes } from '../../test/support/sparse-bytes.ts'

/** The bytes of a volume within an image that is being damaged. */
export type Target = {
  readonly sizeBytes: number
  read(offset: number, length: number): Uint8Array<ArrayBuffer>
  write(bytes: Uint8Array, offset: number): void
}

/** Something on an image that has a meaning of its own, and what it takes that its checksum fits again. */
export type Structure = {
  /** Such as inode, extent node. */
  readonly kind: string
  readonly image: number
  /** Within the image. */
  readonly offset: number
  readonly length: number
  /** What pointers to it count in. */
  readonly blockBytes: number
  readonly mend: (images: readonly SparseBytes[]) => void
}

/** A structure of a volume, before it is known where on which image the volume lies. */
export type LocalStructure = Pick<Structure, 'kind' | 'offset' | 'length' | 'blockBytes'> & {
  readonly mend: (target: Target) => void
}

export type VolumePlace = { readonly image: number; readonly offset: number; readonly sizeBytes: number }

export function targetAt(
  images: readonly SparseBytes[],
  { image, offset: start, sizeBytes }: VolumePlace,
): Target {
  const bytes = images[image]
  if (bytes === undefined) throw new RangeError(`there is no image ${image}`)
  return {
    sizeBytes,
    read: (offset, length) => bytes.read(start + offset, length),
    write: (piece, offset) => bytes.write(piece, start + offset),
  }
}

export function placeStructures(locals: readonly LocalStructure[], place: VolumePlace): Structure[] {
  return locals.map((local) => ({
    ...local,
    image: place.image,
    offset: place.offset + local.offset,
    mend: (images) => local.mend(targetAt(images, place)),
  }))
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Reads `length` bytes, lets `change` set their checksum, and writes them back. */
export function rewrite(
  target: Target,
  { offset, length }: { readonly offset: number; readonly length: number },
  change: (bytes: Uint8Array, view: DataView) => void,
): void {
  const bytes = target.read(offset, length)
  change(bytes, viewOf(bytes))
  target.write(bytes, offset)
}
