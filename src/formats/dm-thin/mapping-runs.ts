import { BATCH_LENGTH } from '../../extents/batches.ts'
import { FormatError } from '../format-error.ts'
import { dataBlockAt, keyAt, nodePlace, type TreeKind, type TreeNode } from './tree-node.ts'

/** A node's worth: what a leaf can add to a batch that is not full yet. */
const LEAF_ENTRIES_MAX = 256

/**
 * Mappings of a thin volume, in data blocks, ascending, neighbours joined: `lengths[i]` blocks from `begins[i]` of the
 * volume lie from `dataBegins[i]` of the pool's data volume. Columns, so that millions cost no objects.
 */
export type MappingRuns = {
  readonly begins: Float64Array
  readonly dataBegins: Float64Array
  readonly lengths: Float64Array
}

/** From `begin` to before `end`, in data blocks. */
export type BlockRange = { readonly begin: number; readonly end: number }

/** Joins the entries of leaves to runs, and cuts them to a range. */
export class MappingRunCollector {
  readonly #kind: TreeKind
  readonly #range: BlockRange
  readonly #dataBlockCount: number
  #begins = new Float64Array(BATCH_LENGTH + LEAF_ENTRIES_MAX)
  #dataBegins = new Float64Array(BATCH_LENGTH + LEAF_ENTRIES_MAX)
  #lengths = new Float64Array(BATCH_LENGTH + LEAF_ENTRIES_MAX)
  #count = 0
  /** The run that may still grow; `#length` 0 when there is none. */
  #begin = 0
  #dataBegin = 0
  #length = 0

  constructor(kind: TreeKind, range: BlockRange, dataBlockCount: number) {
    this.#kind = kind
    this.#range = range
    this.#dataBlockCount = dataBlockCount
  }

  get isFull(): boolean {
    return this.#count >= BATCH_LENGTH
  }

  addLeaf(leaf: TreeNode): void {
    const { begin, end } = this.#range
    const limit = { kind: this.#kind, end: this.#dataBlockCount }
    let length = this.#length
    let nextKey = this.#begin + length
    let nextDataBlock = this.#dataBegin + length
    for (let index = 0; index < leaf.entryCount; index += 1) {
      const key = keyAt(leaf, index)
      if (key < begin || key >= end) continue
      const dataBlock = requiredDataBlock(leaf, index, limit)
      if (key !== nextKey || dataBlock !== nextDataBlock || length === 0) {
        this.#endRun(length)
        this.#begin = key
        this.#dataBegin = dataBlock
        length = 0
      }
      length += 1
      nextKey = key + 1
      nextDataBlock = dataBlock + 1
    }
    this.#length = length
  }

  /** The runs that are complete, and room for more. */
  take(): MappingRuns {
    const count = this.#count
    const runs = {
      begins: this.#begins.slice(0, count),
      dataBegins: this.#dataBegins.slice(0, count),
      lengths: this.#lengths.slice(0, count),
    }
    this.#count = 0
    return runs
  }

  /** What is left at the end: one batch, or none. */
  *rest(): Generator<MappingRuns> {
    this.#endRun(this.#length)
    this.#length = 0
    if (this.#count > 0) yield this.take()
  }

  #endRun(length: number): void {
    if (length === 0) return
    const place = this.#count
    this.#begins[place] = this.#begin
    this.#dataBegins[place] = this.#dataBegin
    this.#lengths[place] = length
    this.#count = place + 1
  }
}

/** Throws FormatError when the mapping points beyond the pool's data volume. */
export function requiredDataBlock(
  leaf: TreeNode,
  index: number,
  limit: { readonly kind: TreeKind; readonly end: number },
): number {
  const dataBlock = dataBlockAt(leaf, index)
  if (dataBlock < limit.end) return dataBlock
  throw new FormatError(
    nodePlace(limit.kind, leaf.ref.block),
    `mapping ${index} is to data block ${dataBlock}, expected one below ${limit.end}`,
  )
}
