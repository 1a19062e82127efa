import { PLACES } from '../repository/tree-node.ts'
import { isPlaceIn } from '../mover/leaf-mask.ts'

/** A run of neighbouring chunks that one read fetches. */
export type ReadPiece = {
  readonly firstPlace: number
  readonly placeCount: number
  readonly offset: number
  /** Cut at the end of the image. */
  readonly length: number
}

export type PieceLimits = {
  readonly chunkSizeBytes: number
  readonly pieceSizeBytesMax: number
  readonly sizeBytes: number
}

/** Cuts the places of a leaf that are to be read into runs that fit a read buffer. */
export function readPieces(leaf: { leafIndex: number; read: Uint8Array }, limits: PieceLimits): ReadPiece[] {
  const { chunkSizeBytes, sizeBytes } = limits
  const placesMax = Math.max(1, Math.floor(limits.pieceSizeBytesMax / chunkSizeBytes))
  const pieces: ReadPiece[] = []
  let place = 0
  while (place < PLACES) {
    if (!isPlaceIn(leaf.read, place)) {
      place += 1
      continue
    }
    const firstPlace = place
    while (place < PLACES && place - firstPlace < placesMax && isPlaceIn(leaf.read, place)) place += 1
    const offset = (leaf.leafIndex * PLACES + firstPlace) * chunkSizeBytes
    const length = Math.min((place - firstPlace) * chunkSizeBytes, sizeBytes - offset)
    if (length > 0) pieces.push({ firstPlace, placeCount: place - firstPlace, offset, length })
  }
  return pieces
}
