import type { FrozenImage } from '../domain/frozen-image.ts'
import type { Range } from '../domain/range.ts'
import type { FileNode, FileSystem } from '../formats/file-system.ts'
import { FormatError } from '../formats/format-error.ts'

/** Large enough that a read costs little beside its bytes. */
const PIECE_BYTES_MAX = 1024 * 1024

/** A file system, and the image that it is on: its files lie there. */
export type FileSource = { readonly fileSystem: FileSystem; readonly image: FrozenImage }

/** A part of a file. `bytes` are good until the next piece is asked for. */
export type FilePiece =
  | { readonly kind: 'data'; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: 'zero'; readonly offset: number; readonly length: number }

export type FilePiecesOptions = {
  /** The part of the file that is wanted; all of it unless it is given. */
  readonly range?: Range
  readonly signal: AbortSignal
}

/** The content of a file in order, without gaps. Throws FormatError, UnmappedError, or what reading the image throws. */
export async function* filePieces(
  source: FileSource,
  node: FileNode,
  options: FilePiecesOptions,
): AsyncGenerator<FilePiece> {
  const { signal } = options
  const range = options.range ?? { offset: 0, length: node.sizeBytes }
  if (range.length === 0) return
  const buffer = new Uint8Array(Math.min(PIECE_BYTES_MAX, range.length))
  for await (const batch of source.fileSystem.fileExtents(node, range, signal)) {
    for (const extent of batch) {
      const { kind, offset, length } = extent
      if (kind === 'zero') yield { kind, offset, length }
      else if (kind === 'inline') yield { kind: 'data', offset, bytes: extent.bytes }
      else {
        requireInside(extent, node, source.image)
        for (let done = 0; done < length; done += buffer.byteLength) {
          signal.throwIfAborted()
          const bytes = buffer.subarray(0, Math.min(buffer.byteLength, length - done))
          await source.image.readInto(bytes, extent.physicalOffset + done)
          yield { kind: 'data', offset: offset + done, bytes }
        }
      }
    }
  }
}

function requireInside(
  extent: { readonly offset: number; readonly length: number; readonly physicalOffset: number },
  node: FileNode,
  image: FrozenImage,
): void {
  const end = extent.physicalOffset + extent.length
  if (extent.physicalOffset >= 0 && end <= image.sizeBytes) return
  const place = {
    structure: `extent at byte ${extent.offset} of inode ${node.number}`,
    offsetBytes: extent.physicalOffset,
  }
  throw new FormatError(place, `it ends at byte ${end}, the volume at ${image.sizeBytes}`)
}
