import { Crc32cChange } from '../../bytes/crc32c-change.ts'
import { KEY_BYTES, METADATA_BLOCK_BYTES, NODE } from './layout.ts'
import { uint64At, type NodeDemand, type NodeMemory, type NodeRef, type TreeNode } from './tree-node.ts'

const WORD_BYTES = 4
/** What is compared at once: a key, a value, or two words of the header. */
const LONG_BYTES = 8
const LONGS = METADATA_BLOCK_BYTES / LONG_BYTES
const BLOCK_NUMBER_LONG = NODE.blockNumber / LONG_BYTES

/** Beyond so many values that differ, to verify the leaf by itself is quicker. */
const CHANGED_LONGS_MAX = 64

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
  const flags = own.view.getUint32(own.start + NODE.flags, true)
  if (flags !== memory.view.getUint32(memory.start + NODE.flags, true)) return null
  const changed = changedLongs(memory, own)
  if (changed === null) return null
  const valuesLong = (node.valuesAt - memory.start) / LONG_BYTES
  const indexes: number[] = []
  const change = new Crc32cChange()
  for (const long of changed) {
    if (long < valuesLong && long !== BLOCK_NUMBER_LONG) return null
    // The checksum is of what lies behind it.
    const wordIndex = 2 * long - 1
    const offset = long * LONG_BYTES
    change.add(wordIndex, differenceAt(memory, own, offset))
    change.add(wordIndex + 1, differenceAt(memory, own, offset + WORD_BYTES))
    // What lies beyond the entries is no value.
    const index = long - valuesLong
    if (index >= 0 && index < node.entryCount) indexes.push(index)
  }
  const wordCount = METADATA_BLOCK_BYTES / WORD_BYTES - 1
  const checksum = own.view.getUint32(own.start + NODE.checksum, true)
  return checksum === change.applyTo(node.checksum, wordCount) ? indexes : null
}

function differenceAt(memory: NodeMemory, own: NodeMemory, offset: number): number {
  return own.view.getInt32(own.start + offset, true) ^ memory.view.getInt32(memory.start + offset, true)
}

/** Which pieces of eight bytes differ, ascending, but for the first with the checksum; null when there are many. */
function changedLongs(memory: NodeMemory, own: NodeMemory): readonly number[] | null {
  const changed: number[] = []
  const first = memory.longs
  const second = own.longs
  const inFirst = memory.start / LONG_BYTES
  const inSecond = own.start / LONG_BYTES
  for (let long = 1; long < LONGS; long += 1) {
    // Nothing is made of these big integers: the comparison is one of machine words.
    if (first[inFirst + long] === second[inSecond + long]) continue
    if (changed.length > CHANGED_LONGS_MAX) return null
    changed.push(long)
  }
  return changed
}

/** Whether the keys of a leaf, which are in order, are below `high`. */
function isBelow(leaf: TreeNode, high: number): boolean {
  return leaf.entryCount === 0 || uint64At(leaf.view, leaf.keysAt + (leaf.entryCount - 1) * KEY_BYTES) < high
}
