import assert from 'node:assert/strict'
import type { Extent, ExtentBatch } from '../domain/extent.ts'
import type { FrozenImage } from '../domain/frozen-image.ts'
import { endOf, type Range } from '../domain/range.ts'
import { moveExtent } from '../extents/cut-extent.ts'
import { normaliseExtents } from '../extents/normalise-extents.ts'

/** Which blocks of an image are replaced, and where in the same image what replaces them lies. */
export type BlockOverlay = {
  readonly blockSizeBytes: number
  /** The numbers of the replaced blocks, ascending. */
  readonly blocks: Float64Array
  /** For each of them the byte at which its new content lies. */
  readonly sources: Float64Array
  /** By number of a replaced block: bytes that stand in for the first ones of its new content. */
  readonly heads: ReadonlyMap<number, Uint8Array>
}

/**
 * The image as it is after blocks were written over, without writing: what a journal still has to write, copy on
 * write. Holds no content, only where it lies. It borrows: to dispose of it leaves the image below open.
 */
export function overlayImage(image: FrozenImage, overlay: BlockOverlay): FrozenImage {
  if (overlay.blocks.length === 0) return image
  return {
    sizeBytes: image.sizeBytes,
    sectorSizeBytes: image.sectorSizeBytes,
    isCached: image.isCached === true,
    extents: (range, signal) =>
      normaliseExtents(overlaidExtents(image, overlay, { range, signal }), {
        startOffset: range.offset,
        endOffset: endOf(range),
      }),
    readInto: (target, offset) => readOverlaid(image, overlay, { target, offset }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

/** Part of a range: as it is below, or part of a replaced block. */
type Piece = Range & { readonly index: number | null }

function* pieces(overlay: BlockOverlay, range: Range): Generator<Piece> {
  const { blocks, blockSizeBytes } = overlay
  let position = range.offset
  let index = indexFrom(blocks, Math.floor(position / blockSizeBytes))
  while (position < endOf(range)) {
    const block = blocks[index]
    const start = block === undefined ? Infinity : block * blockSizeBytes
    const isReplaced = start <= position
    const end = Math.min(endOf(range), isReplaced ? start + blockSizeBytes : start)
    yield { offset: position, length: end - position, index: isReplaced ? index : null }
    if (isReplaced) index += 1
    position = end
  }
}

/** The first index whose block is `block` or above. */
function indexFrom(blocks: Float64Array, block: number): number {
  let low = 0
  let high = blocks.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((blocks[middle] ?? 0) < block) low = middle + 1
    else high = middle
  }
  return low
}

async function readOverlaid(
  image: FrozenImage,
  overlay: BlockOverlay,
  { target, offset }: { readonly target: Uint8Array; readonly offset: number },
): Promise<void> {
  assert(offset >= 0 && offset + target.byteLength <= image.sizeBytes)
  for (const piece of pieces(overlay, { offset, length: target.byteLength })) {
    const part = target.subarray(piece.offset - offset, endOf(piece) - offset)
    // One after the other: few reads touch more than one replaced block.
    await image.readInto(part, sourceOf(overlay, piece))
    if (piece.index !== null) putHead(overlay, piece, part)
  }
}

/** Where the bytes of a piece lie in the image below. */
function sourceOf(overlay: BlockOverlay, { offset, index }: Piece): number {
  if (index === null) return offset
  const { blocks, sources, blockSizeBytes } = overlay
  return (sources[index] ?? 0) + offset - (blocks[index] ?? 0) * blockSizeBytes
}

function headOf(overlay: BlockOverlay, { index }: Piece): Uint8Array | undefined {
  return index === null ? undefined : overlay.heads.get(overlay.blocks[index] ?? 0)
}

function putHead(overlay: BlockOverlay, piece: Piece, part: Uint8Array): void {
  const within = piece.offset % overlay.blockSizeBytes
  const head = headOf(overlay, piece)?.subarray(within)
  if (head !== undefined) part.set(head.subarray(0, part.byteLength))
}

async function* overlaidExtents(
  image: FrozenImage,
  overlay: BlockOverlay,
  { range, signal }: { readonly range: Range; readonly signal: AbortSignal },
): AsyncGenerator<ExtentBatch> {
  for (const piece of pieces(overlay, range)) {
    signal.throwIfAborted()
    if (headOf(overlay, piece) !== undefined) {
      // What lies nowhere as it is comes along.
      const bytes = new Uint8Array(piece.length)
      await readOverlaid(image, overlay, { target: bytes, offset: piece.offset })
      yield [{ kind: 'inline', offset: piece.offset, length: piece.length, bytes }]
      continue
    }
    const source = sourceOf(overlay, piece)
    for await (const batch of image.extents({ offset: source, length: piece.length }, signal)) {
      yield batch.map((extent) => moveExtent(extent, extent.offset - source + piece.offset))
    }
  }
}

/**
 * A map of what lies on an image, with `overlay` over it: extents on device 0, which is the image below, are cut where
 * blocks are replaced, and those parts lie where their new content does. `overlaid` is the image with the overlay.
 */
export async function* overlayExtents(
  map: AsyncIterable<ExtentBatch>,
  overlaid: FrozenImage,
  overlay: BlockOverlay,
): AsyncGenerator<ExtentBatch> {
  for await (const batch of map) {
    const out: Extent[] = []
    for (const extent of batch) {
      if (extent.kind !== 'data') {
        out.push(extent)
        continue
      }
      const range = { offset: extent.physicalOffset, length: extent.length }
      for (const piece of pieces(overlay, range)) {
        const offset = extent.offset + piece.offset - range.offset
        const { length } = piece
        if (headOf(overlay, piece) === undefined) {
          out.push({ ...extent, offset, length, physicalOffset: sourceOf(overlay, piece) })
          continue
        }
        const bytes = new Uint8Array(length)
        await overlaid.readInto(bytes, piece.offset)
        out.push({ kind: 'inline', offset, length, bytes })
      }
    }
    yield out
  }
}
