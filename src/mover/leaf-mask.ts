import type { Range, RangeBatch } from '../domain/range.ts'
import { PLACES } from '../repository/tree-node.ts'

/** Some places of one leaf: 32 bytes, place p is bit p % 8 of byte p / 8. */
export type LeafMask = { readonly leafIndex: number; readonly mask: Uint8Array }

export const MASK_SIZE = PLACES / 8
const FULL = new Uint8Array(MASK_SIZE).fill(0xff)
export const EMPTY_MASK: Uint8Array = new Uint8Array(MASK_SIZE)

export function isPlaceIn(mask: Uint8Array, place: number): boolean {
  return ((mask[place >> 3] ?? 0) & (1 << (place & 7))) !== 0
}

export function addPlace(mask: Uint8Array, place: number): void {
  mask[place >> 3] = (mask[place >> 3] ?? 0) | (1 << (place & 7))
}

export function isEmptyMask(mask: Uint8Array): boolean {
  return mask.every((byte) => byte === 0)
}

export function intersectMasks(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, index) => byte & (b[index] ?? 0))
}

export function subtractMasks(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, index) => byte & ~(b[index] ?? 0))
}

export function unionMasks(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, index) => byte | (b[index] ?? 0))
}

export function countPlaces(mask: Uint8Array): number {
  let count = 0
  for (const byte of mask) for (let rest = byte; rest !== 0; rest &= rest - 1) count += 1
  return count
}

/**
 * Cuts ranges of bytes that begin and end at chunks (or at the end of the image) into masks of leaves, ascending
 * and each leaf at most once. A leaf that is wholly covered shares one mask: do not change what it yields.
 */
export async function* leafMasks(
  ranges: AsyncIterable<RangeBatch>,
  chunkSizeBytes: number,
): AsyncGenerator<LeafMask> {
  let open: { leafIndex: number; mask: Uint8Array } | null = null
  for await (const batch of ranges) {
    for (const range of batch) {
      for (const piece of leavesOf(range, chunkSizeBytes)) {
        if (open !== null && open.leafIndex !== piece.leafIndex) yield open
        if (open === null || open.leafIndex !== piece.leafIndex)
          open = { leafIndex: piece.leafIndex, mask: maskOf(piece) }
        else open.mask = unionMasks(open.mask, maskOf(piece))
      }
    }
  }
  if (open !== null) yield open
}

type Piece = { readonly leafIndex: number; readonly from: number; readonly to: number }

function* leavesOf(range: Range, chunkSizeBytes: number): Generator<Piece> {
  const end = Math.ceil((range.offset + range.length) / chunkSizeBytes)
  let at = Math.floor(range.offset / chunkSizeBytes)
  while (at < end) {
    const leafIndex = Math.floor(at / PLACES)
    const from = at % PLACES
    const to = Math.min(PLACES, end - leafIndex * PLACES)
    yield { leafIndex, from, to }
    at = (leafIndex + 1) * PLACES
  }
}

function maskOf(piece: Piece): Uint8Array {
  if (piece.from === 0 && piece.to === PLACES) return FULL
  const mask = new Uint8Array(MASK_SIZE)
  for (let place = piece.from; place < piece.to; place += 1) addPlace(mask, place)
  return mask
}
