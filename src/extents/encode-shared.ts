import type { Extent } from '../domain/extent.ts'
import type { Batches } from './batches.ts'
import { encodeExtents, type EncodeOptions } from './encode.ts'

/** As `encodeExtents`, in one piece of memory that threads share. */
export async function encodeShared(
  map: Batches<Extent>,
  options: EncodeOptions,
): Promise<Uint8Array<SharedArrayBuffer>> {
  const pieces: Uint8Array[] = []
  let length = 0
  for await (const piece of encodeExtents(map, options)) {
    pieces.push(piece)
    length += piece.byteLength
  }
  const shared = new Uint8Array(new SharedArrayBuffer(length))
  let at = 0
  for (const piece of pieces) {
    shared.set(piece, at)
    at += piece.byteLength
  }
  return shared
}
