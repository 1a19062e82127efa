import { Crc32cChange } from '../../bytes/crc32c-change.ts'
import { METADATA_BLOCK_BYTES, NODE } from './layout.ts'
import { uint64At, type NodeDemand, type NodeMemory, type NodeRef, type TreeNode } from './tree-node.ts'

const WORD_BYTES = 4
const WORDS = METADATA_BLOCK_BYTES / WORD_BYTES
const BLOCK_NUMBER_WORD = NODE.blockNumber / WORD_BYTES

/** Compared at once: for most steps there is one decision. */
const STEP_WORDS = 8

/** Beyond so many words that differ, to verify the leaf by itself is quicker. */
const CHANGED_WORDS_MAX = 128

/**
 * A leaf as a copy of the one before it, in which some mappings were changed: what a write to a snapshot makes. Null
 * unless it is one, whatever else it may be. A twin of a verified leaf is verified by what differs alone, in a fraction
 * of the time: the keys and the header are the same but for the block number, and the checksum is the other's, changed
 * by the words that differ.
 */
export function findTwin(
  ref: NodeRef,
  demand: NodeDemand,
  blocks: { readonly node: TreeNode; readonly memory: NodeMemory; readonly own: NodeMemory },
): TreeNode | null {
  const { node, memory, own } = blocks
  if (demand.level > 0 || ref.side !== 1 || node.ref.side !== 0 || node.ref.low !== ref.low) return null
  if (uint64At(own.view, own.start + NODE.blockNumber) !== ref.block || !isBelow(node, ref.high)) return null
  const indexes = changedEntries(node, memory, own)
  if (indexes === null) return null
  return {
    ref,
    view: own.view,
    checksum: own.view.getUint32(own.start, true),
    entryCount: node.entryCount,
    keysAt: own.start + NODE.keys,
    valuesAt: own.start + (node.valuesAt - memory.start),
    twin: { leaf: node, indexes },
  }
}

/** Which values differ, when nothing else does but the block number, and the checksum is right. */
function changedEntries(node: TreeNode, memory: NodeMemory, own: NodeMemory): readonly number[] | null {
  const valuesWord = (node.valuesAt - memory.start) / WORD_BYTES
  const changed = changedWords(memory, own)
  if (changed === null) return null
  const indexes: number[] = []
  const change = new Crc32cChange()
  for (const word of changed) {
    const isBlockNumber = word === BLOCK_NUMBER_WORD || word === BLOCK_NUMBER_WORD + 1
    if (word < valuesWord && !isBlockNumber) return null
    const offset = word * WORD_BYTES
    change.add(
      word - 1,
      own.view.getInt32(own.start + offset, true) ^ memory.view.getInt32(memory.start + offset, true),
    )
    // The two words of one value come one after the other; what lies beyond the entries is no value.
    const index = (word - valuesWord) >> 1
    if (!isBlockNumber && index < node.entryCount && indexes.at(-1) !== index) indexes.push(index)
  }
  const checksum = own.view.getUint32(own.start, true)
  return checksum === change.applyTo(node.checksum, WORDS - 1) ? indexes : null
}

/** The words that differ, ascending, but for the first, which is the checksum; null when there are many. */
function changedWords(memory: NodeMemory, own: NodeMemory): readonly number[] | null {
  const changed: number[] = []
  const first = memory.words
  const second = own.words
  const distance = (own.start - memory.start) / WORD_BYTES
  const begin = memory.start / WORD_BYTES
  for (let at = begin; at < begin + WORDS; at += STEP_WORDS) {
    const there = at + distance
    const difference =
      (wordOf(first, at) ^ wordOf(second, there)) |
      (wordOf(first, at + 1) ^ wordOf(second, there + 1)) |
      (wordOf(first, at + 2) ^ wordOf(second, there + 2)) |
      (wordOf(first, at + 3) ^ wordOf(second, there + 3)) |
      (wordOf(first, at + 4) ^ wordOf(second, there + 4)) |
      (wordOf(first, at + 5) ^ wordOf(second, there + 5)) |
      (wordOf(first, at + 6) ^ wordOf(second, there + 6)) |
      (wordOf(first, at + 7) ^ wordOf(second, there + 7))
    if (difference === 0) continue
    for (let word = Math.max(at, begin + 1); word < at + STEP_WORDS; word += 1) {
      if (first[word] !== second[word + distance]) changed.push(word - begin)
    }
    if (changed.length > CHANGED_WORDS_MAX) return null
  }
  return changed
}

/** The fallback is for the compiler: no index is ever outside. */
function wordOf(words: Int32Array, index: number): number {
  return words[index] ?? 0
}

/** Whether the keys of a leaf, which are in order, are below `high`. */
function isBelow(leaf: TreeNode, high: number): boolean {
  return (
    leaf.entryCount === 0 || uint64At(leaf.view, leaf.keysAt + (leaf.entryCount - 1) * 2 * WORD_BYTES) < high
  )
}
