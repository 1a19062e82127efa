import { Crc32cChange } from '../../bytes/crc32c-change.ts'
import { METADATA_BLOCK_BYTES, NODE } from './layout.ts'
import { uint64At, type NodeDemand, type NodeMemory, type NodeRef, type TreeNode } from './tree-node.ts'

const WORD_BYTES = 4
const WORDS = METADATA_BLOCK_BYTES / WORD_BYTES
const BLOCK_NUMBER_WORD = NODE.blockNumber / WORD_BYTES

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
  const first = memory.start / WORD_BYTES
  const second = own.start / WORD_BYTES
  const indexes: number[] = []
  const change = new Crc32cChange()
  let changedCount = 0
  // The first word is the checksum itself.
  for (let word = 1; word < WORDS; word += 1) {
    if (own.words[second + word] === memory.words[first + word]) continue
    const isBlockNumber = word === BLOCK_NUMBER_WORD || word === BLOCK_NUMBER_WORD + 1
    changedCount += 1
    if ((word < valuesWord && !isBlockNumber) || changedCount > CHANGED_WORDS_MAX) return null
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

/** Whether the keys of a leaf, which are in order, are below `high`. */
function isBelow(leaf: TreeNode, high: number): boolean {
  return (
    leaf.entryCount === 0 || uint64At(leaf.view, leaf.keysAt + (leaf.entryCount - 1) * 2 * WORD_BYTES) < high
  )
}
