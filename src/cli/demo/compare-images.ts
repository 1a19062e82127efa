import { endOf, type Range } from '../../domain/range.ts'
import { unionRanges } from '../../extents/union-ranges.ts'
import { openLocalSource } from '../../linux/local-source.ts'

/** What file systems write at once. */
const BLOCK_SIZE_BYTES = 4096
const PIECE_SIZE_BYTES = 1024 * 1024

/** The ranges in which two image files of one size differ, in whole blocks, ascending. */
export async function compareImages(before: string, after: string, signal: AbortSignal): Promise<Range[]> {
  await using first = await openLocalSource(before)
  await using second = await openLocalSource(after)
  await using firstImage = first.image()
  await using secondImage = second.image()
  const whole = { offset: 0, length: second.sizeBytes }
  const differing: Range[] = []
  const pieces = [Buffer.alloc(PIECE_SIZE_BYTES), Buffer.alloc(PIECE_SIZE_BYTES)] as const
  for await (const batch of unionRanges(first.dataRanges(whole, signal), second.dataRanges(whole, signal))) {
    for (const range of batch) {
      for (let offset = range.offset; offset < endOf(range); offset += PIECE_SIZE_BYTES) {
        signal.throwIfAborted()
        const length = Math.min(PIECE_SIZE_BYTES, endOf(range) - offset)
        const [a, b] = [pieces[0].subarray(0, length), pieces[1].subarray(0, length)]
        await Promise.all([firstImage.readInto(a, offset), secondImage.readInto(b, offset)])
        if (!a.equals(b)) addDifferingBlocks(differing, { a, b }, offset)
      }
    }
  }
  return differing
}

function addDifferingBlocks(differing: Range[], piece: { a: Buffer; b: Buffer }, offset: number): void {
  for (let at = 0; at < piece.a.length; at += BLOCK_SIZE_BYTES) {
    const end = Math.min(at + BLOCK_SIZE_BYTES, piece.a.length)
    if (piece.a.compare(piece.b, at, end, at, end) === 0) continue
    const last = differing.at(-1)
    if (last !== undefined && endOf(last) === offset + at) {
      differing[differing.length - 1] = { offset: last.offset, length: last.length + end - at }
    } else differing.push({ offset: offset + at, length: end - at })
  }
}
