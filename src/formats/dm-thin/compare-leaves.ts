import type { RangeBatch } from '../../domain/range.ts'
import type { BlockRangeCollector } from './block-range-collector.ts'
import type { NodeBatches } from './load-nodes.ts'
import { dataBlockAt, detachedNode, keyAt, type TreeNode } from './tree-node.ts'

/** The blocks that leaves of two sides map differently, or that one side alone maps. Leaves of both come ascending. */
export async function* compareLeaves(
  batches: NodeBatches,
  out: BlockRangeCollector,
): AsyncGenerator<RangeBatch> {
  const first = new LeafCursor()
  const second = new LeafCursor()
  for await (const leaves of batches) {
    for (const leaf of leaves) (leaf.ref.side === 0 ? first : second).push(leaf)
    // Later leaves begin at or after the last one of this batch.
    compareBelow(leaves.at(-1)?.ref.low ?? 0, [first, second], out)
    // The memory of this batch is used again for the next one.
    first.detach()
    second.detach()
    if (out.isFull) yield out.take()
  }
  compareBelow(Infinity, [first, second], out)
  yield* out.rest()
}

/** Walks the entries of the leaves of one side. */
class LeafCursor {
  #leaves: TreeNode[] = []
  #next = 0
  leaf: TreeNode | undefined
  /** The entry of `leaf` that the cursor is on. */
  index = 0

  push(leaf: TreeNode): void {
    if (leaf.entryCount > 0) this.#leaves.push(leaf)
    if (this.leaf === undefined) this.#nextLeaf()
  }

  /** The key that the cursor is on, Infinity after the last one. */
  get key(): number {
    return this.leaf === undefined ? Infinity : keyAt(this.leaf, this.index)
  }

  /** Goes to an entry of the leaf, or to the next leaf when it is beyond the last one. */
  moveTo(index: number): void {
    if (this.leaf !== undefined && index < this.leaf.entryCount) this.index = index
    else this.#nextLeaf()
  }

  detach(): void {
    if (this.leaf !== undefined) this.leaf = detachedNode(this.leaf)
    this.#leaves = this.#leaves.slice(this.#next).map(detachedNode)
    this.#next = 0
  }

  #nextLeaf(): void {
    this.leaf = this.#leaves[this.#next]
    if (this.leaf !== undefined) this.#next += 1
    this.index = 0
  }
}

type Pair = readonly [LeafCursor, LeafCursor]

/** Goes on as long as both sides are known, and where only one is, to `limit`, before which the other has nothing. */
function compareBelow(limit: number, [first, second]: Pair, out: BlockRangeCollector): void {
  for (;;) {
    const one = first.leaf === undefined ? limit : first.key
    const other = second.leaf === undefined ? limit : second.key
    if (first.leaf !== undefined && second.leaf !== undefined && one === other) {
      comparePair([first, second], out)
    } else if (first.leaf !== undefined && one < other) addAlone(first, other, out)
    else if (second.leaf !== undefined && other < one) addAlone(second, one, out)
    else return
  }
}

/** Compares from here on until the keys are not the same or one leaf ends: for most leaves, all of it. */
function comparePair([first, second]: Pair, out: BlockRangeCollector): void {
  const one = first.leaf
  const other = second.leaf
  if (one === undefined || other === undefined) return
  if (other.twin?.leaf === one && first.index === 0 && second.index === 0) {
    for (const index of other.twin.indexes) compareEntry(one, other, { index, out })
    first.moveTo(one.entryCount)
    second.moveTo(other.entryCount)
    return
  }
  let inOne = first.index
  let inOther = second.index
  const end = inOne + Math.min(one.entryCount - inOne, other.entryCount - inOther)
  while (inOne < end) {
    const key = keyAt(one, inOne)
    if (key !== keyAt(other, inOther)) break
    if (dataBlockAt(one, inOne) !== dataBlockAt(other, inOther)) out.add(key, key + 1)
    inOne += 1
    inOther += 1
  }
  first.moveTo(inOne)
  second.moveTo(inOther)
}

/** Entries of the same index and key. */
function compareEntry(
  one: TreeNode,
  other: TreeNode,
  { index, out }: { readonly index: number; readonly out: BlockRangeCollector },
): void {
  if (dataBlockAt(one, index) === dataBlockAt(other, index)) return
  const key = keyAt(one, index)
  out.add(key, key + 1)
}

/** The entries of one side below `limit`, which the other side does not have. */
function addAlone(cursor: LeafCursor, limit: number, out: BlockRangeCollector): void {
  const { leaf } = cursor
  if (leaf === undefined) return
  let { index } = cursor
  while (index < leaf.entryCount) {
    const key = keyAt(leaf, index)
    if (key >= limit) break
    out.add(key, key + 1)
    index += 1
  }
  cursor.moveTo(index)
}
