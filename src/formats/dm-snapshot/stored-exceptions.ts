import type { FrozenImage } from '../../domain/frozen-image.ts'
import { readBytes } from '../../images/read-bytes.ts'
import { FormatError, type StructurePlace } from '../format-error.ts'
import { EXCEPTION_BYTES, HEADER_CHUNKS } from './layout.ts'

/** An area of huge chunks is read in pieces of so many bytes. */
const PIECE_BYTES = 64 * 1024
const TWO_TO_32 = 2 ** 32

export type StoreGeometry = {
  readonly chunkSizeBytes: number
  /** Of the origin, the last one may be cut. */
  readonly originChunkCount: number
}

/** Told of each exception. */
export type ExceptionVisitor = (originChunk: number, storeChunk: number) => void

/** Walks all exceptions of a store in the order in which they were made; every number is checked. */
export async function walkExceptions(
  image: FrozenImage,
  geometry: StoreGeometry,
  options: { readonly visit: ExceptionVisitor; readonly signal: AbortSignal },
): Promise<void> {
  const { chunkSizeBytes } = geometry
  const areaStride = chunkSizeBytes / EXCEPTION_BYTES + 1
  // Areas lie further and further inside; the image's end is the walk's.
  for (let areaChunk = HEADER_CHUNKS; ; areaChunk += areaStride) {
    options.signal.throwIfAborted()
    const areaOffset = areaChunk * chunkSizeBytes
    if (areaOffset + chunkSizeBytes > image.sizeBytes) {
      const place = { structure: 'dm-snapshot exception area', offsetBytes: areaOffset }
      throw new FormatError(place, `the store ends at byte ${image.sizeBytes}, before its exceptions do`)
    }
    for (let done = 0; done < chunkSizeBytes; done += PIECE_BYTES) {
      const length = Math.min(PIECE_BYTES, chunkSizeBytes - done)
      const bytes = await readBytes(image, areaOffset + done, length)
      const checks = { geometry, storeSizeBytes: image.sizeBytes, offsetBytes: areaOffset + done }
      if (visitPiece(bytes, checks, options.visit)) return
    }
  }
}

/** True when the last exception of all is in this piece of an area. */
function visitPiece(
  bytes: Uint8Array,
  checks: {
    readonly geometry: StoreGeometry
    readonly storeSizeBytes: number
    readonly offsetBytes: number
  },
  visit: ExceptionVisitor,
): boolean {
  const { chunkSizeBytes, originChunkCount } = checks.geometry
  const areaStride = chunkSizeBytes / EXCEPTION_BYTES + 1
  const storeChunkCount = Math.floor(checks.storeSizeBytes / chunkSizeBytes)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at < bytes.byteLength; at += EXCEPTION_BYTES) {
    const originChunk = view.getUint32(at, true) + view.getUint32(at + 4, true) * TWO_TO_32
    const storeChunk = view.getUint32(at + 8, true) + view.getUint32(at + 12, true) * TWO_TO_32
    if (storeChunk === 0) return true
    if (originChunk >= originChunkCount) {
      const found = `it is of chunk ${originChunk} of the origin, expected less than ${originChunkCount}`
      throw new FormatError(placeOf(checks.offsetBytes + at), found)
    }
    if (storeChunk >= storeChunkCount || (storeChunk - HEADER_CHUNKS) % areaStride === 0) {
      const found = `its copy is chunk ${storeChunk}, expected one below ${storeChunkCount} that is no area`
      throw new FormatError(placeOf(checks.offsetBytes + at), found)
    }
    visit(originChunk, storeChunk)
  }
  return false
}

function placeOf(offsetBytes: number): StructurePlace {
  return { structure: 'dm-snapshot exception', offsetBytes }
}
