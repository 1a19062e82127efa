import type { SparseBytes } from '../../test/support/sparse-bytes.ts'

/** The bytes of a volume within an image that is being damaged. */
export type Target = {
  readonly sizeBytes: number
  read(offset: number, length: number): Uint8Array<ArrayBuffer>
  write(bytes: Uint8Array, offset: number): void
}

/** A number in a structure. */
export type Field = {
  /** The same for the same number of each of many records, so that none of them is tried more than others. */
  readonly name: string
  /** Within the structure. */
  readonly at: number
  readonly width: 1 | 2 | 4 | 8
  readonly isLittle: boolean
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
  /** Where its numbers are, as long as it is sound. */
  readonly fields: readonly Field[]
  /** What it consists of, where that is not fields at fixed places. */
  readonly grammar?: 'text' | 'varints'
  /** Whoever reads the whole image reads it. */
  readonly isRead: boolean
  /** And it has a checksum that is compared: one that does not fit must be noticed. */
  readonly isChecked: boolean
  readonly mend: (images: readonly SparseBytes[]) => void
}

/** A structure of a volume, before it is known where on which image the volume lies. */
export type LocalStructure = Pick<Structure, 'kind' | 'offset' | 'length' | 'blockBytes' | 'grammar'> & {
  /** Default true. */
  readonly isRead?: boolean
  /** Default false. */
  readonly isChecked?: boolean
  readonly fields?: (bytes: Uint8Array) => readonly Field[]
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

export function placeStructures(
  locals: readonly LocalStructure[],
  { place, target }: { readonly place: VolumePlace; readonly target: Target },
): Structure[] {
  return locals.map((local) => ({
    ...local,
    isRead: local.isRead ?? true,
    isChecked: (local.isRead ?? true) && (local.isChecked ?? false),
    fields: (local.fields?.(target.read(local.offset, local.length)) ?? []).filter(
      ({ at, width }) => at + width <= local.length,
    ),
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
