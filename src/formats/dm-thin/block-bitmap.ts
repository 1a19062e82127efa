import assert from 'node:assert/strict'

const PAGE_WORDS = 16 * 1024
const PAGE_BITS = PAGE_WORDS * 32
const ALL_SET = 0xffffffff

/** 2^31 blocks: 128 TiB of the smallest data blocks; the bitmap of them all takes 256 MiB. */
export const BITMAP_BLOCKS_MAX = 2 ** 31

/** A set of block numbers. It takes 64 KiB for each 524,288 blocks among which one is set: one bit a block at most. */
export class BlockBitmap {
  readonly #blockCount: number
  readonly #pages: (Uint32Array | undefined)[] = []

  constructor(blockCount: number) {
    assert(blockCount <= BITMAP_BLOCKS_MAX)
    this.#blockCount = blockCount
  }

  /** Sets a block; false when it was set already. */
  add(block: number): boolean {
    assert(block < this.#blockCount)
    const pageIndex = Math.floor(block / PAGE_BITS)
    const page = (this.#pages[pageIndex] ??= new Uint32Array(PAGE_WORDS))
    const bit = block % PAGE_BITS
    const word = page[bit >>> 5] ?? 0
    const mask = 1 << (bit & 31)
    if ((word & mask) !== 0) return false
    page[bit >>> 5] = word | mask
    return true
  }

  /** Calls `visit` for the runs of set blocks, ascending; runs that touch may come apart. */
  *runs(): Generator<readonly [begin: number, length: number]> {
    for (const [pageIndex, page] of this.#pages.entries()) {
      if (page !== undefined) yield* runsOf(page, pageIndex * PAGE_BITS)
    }
  }
}

function* runsOf(page: Uint32Array, pageBegin: number): Generator<readonly [begin: number, length: number]> {
  let length = 0
  let begin = 0
  for (const [wordIndex, word] of page.entries()) {
    if (word === 0 && length === 0) continue
    const wordBegin = pageBegin + wordIndex * 32
    if (word === ALL_SET) {
      if (length === 0) begin = wordBegin
      length += 32
      continue
    }
    for (let bit = 0; bit < 32; bit += 1) {
      if ((word & (1 << bit)) !== 0) {
        if (length === 0) begin = wordBegin + bit
        length += 1
      } else if (length > 0) {
        yield [begin, length]
        length = 0
      }
    }
  }
  if (length > 0) yield [begin, length]
}
