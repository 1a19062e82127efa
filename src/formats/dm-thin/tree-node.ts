import { FormatError, type StructurePlace } from '../format-error.ts'
import { requireChecksum } from './block-checksum.ts'
import {
  INNER_VALUE_BYTES,
  KEY_BYTES,
  METADATA_BLOCK_BYTES,
  NODE,
  NODE_INNER,
  NODE_LEAF,
  NODE_SALT,
} from './layout.ts'

const TWO_TO_32 = 2 ** 32

/** One of the pool's kinds of trees. */
export type TreeKind = {
  /** Such as "device details tree". */
  readonly name: string
  readonly leafValueBytes: number
  /** Its keys are below this. */
  readonly keyEnd: number
}

/** A node as its parent names it: all its keys are at least `low` and below `high`. */
export type NodeRef = {
  readonly block: number
  readonly low: number
  readonly high: number
  /** Which of two trees that are walked side by side it belongs to. */
  readonly side: 0 | 1
}

/** A verified node. Its memory is shared with others of its batch, and may be used again. */
export type TreeNode = {
  readonly ref: NodeRef
  readonly view: DataView
  /** What the block says is its checksum, and is. */
  readonly checksum: number
  readonly entryCount: number
  /** Where in `view` the keys and the values begin. */
  readonly keysAt: number
  readonly valuesAt: number
  readonly twin: Twin | null
}

/** That a leaf has the same keys as `leaf`, and other values only at the entries `indexes`, ascending. */
export type Twin = { readonly leaf: TreeNode; readonly indexes: readonly number[] }

/** A block in memory: it begins at `start` of both views. */
export type NodeMemory = { readonly view: DataView; readonly longs: BigInt64Array; readonly start: number }

/** What a node must be: `level` is 0 for a leaf, and one more for each level above. */
export type NodeDemand = { readonly kind: TreeKind; readonly level: number }

/** A damaged number may name a block that no device has: its place is then the last safe one. */
export function nodePlace(kind: TreeKind, block: number): StructurePlace {
  const offsetBytes = Math.min(block * METADATA_BLOCK_BYTES, Number.MAX_SAFE_INTEGER)
  return { structure: `thin pool ${kind.name} node`, offsetBytes }
}

/** The node whose block begins at `start` of `view`. Throws FormatError unless all of it is as `demand` and `ref` say. */
export function requireNode(ref: NodeRef, demand: NodeDemand, memory: NodeMemory): TreeNode {
  const { view, start } = memory
  const place = nodePlace(demand.kind, ref.block)
  const fail = (found: string): never => {
    throw new FormatError(place, found)
  }
  const checksum = requireChecksum(
    new Uint8Array(view.buffer, view.byteOffset + start, METADATA_BLOCK_BYTES),
    NODE_SALT,
    place,
  )
  const blockNumber = uint64At(view, start + NODE.blockNumber)
  if (blockNumber !== ref.block) fail(`block number is ${blockNumber}, expected ${ref.block}`)
  const flags = view.getUint32(start + NODE.flags, true)
  const expectedFlags = demand.level === 0 ? NODE_LEAF : NODE_INNER
  if (flags !== expectedFlags) fail(`flags are 0x${flags.toString(16)}, expected ${expectedFlags}`)

  const valueBytes = view.getUint32(start + NODE.valueBytes, true)
  const expectedValueBytes = demand.level === 0 ? demand.kind.leafValueBytes : INNER_VALUE_BYTES
  if (valueBytes !== expectedValueBytes) fail(`value size is ${valueBytes}, expected ${expectedValueBytes}`)
  const entryCountMax = view.getUint32(start + NODE.entryCountMax, true)
  const room = Math.floor((METADATA_BLOCK_BYTES - NODE.keys) / (KEY_BYTES + valueBytes))
  if (entryCountMax > room) fail(`room is for ${entryCountMax} entries, expected at most ${room}`)
  const entryCount = view.getUint32(start + NODE.entryCount, true)
  if (entryCount > entryCountMax) fail(`it has ${entryCount} entries, expected at most ${entryCountMax}`)
  if (entryCount === 0 && demand.level > 0) fail('it has 0 entries, expected some in an inner node')

  const keysAt = start + NODE.keys
  const valuesAt = keysAt + entryCountMax * KEY_BYTES
  const node = { ref, view, checksum, entryCount, keysAt, valuesAt, twin: null }
  if (!hasSmallKeysInOrder(node)) requireKeys(node, place)
  return node
}

/** What requireKeys() demands, for keys below 2^31: with integers it takes a third of the time. */
function hasSmallKeysInOrder({ ref, view, keysAt, entryCount }: TreeNode): boolean {
  if (ref.low >= 2 ** 31) return false
  let previous = ref.low - 1
  const end = keysAt + entryCount * KEY_BYTES
  for (let at = keysAt; at < end; at += KEY_BYTES) {
    const key = view.getInt32(at, true)
    if (key <= previous || view.getInt32(at + 4, true) !== 0) return false
    previous = key
  }
  return previous < ref.high
}

/** Ascending keys within the parent's bounds: what makes a walk end, and no node be its own descendant. */
function requireKeys(node: TreeNode, place: StructurePlace): void {
  const { ref, view, keysAt, entryCount } = node
  let least = ref.low
  for (let at = keysAt; at < keysAt + entryCount * KEY_BYTES; at += KEY_BYTES) {
    const key = uint64At(view, at)
    if (!(key >= least && key < ref.high)) {
      const index = (at - keysAt) / KEY_BYTES
      throw new FormatError(place, `key ${index} is ${key}, expected at least ${least} and below ${ref.high}`)
    }
    least = key + 1
  }
}

/** Not exact beyond 2^53, which every bound is below. */
export function uint64At(view: DataView, offset: number): number {
  const low = view.getUint32(offset, true)
  const high = view.getUint32(offset + 4, true)
  return high === 0 ? low : low + high * TWO_TO_32
}

export function keyAt(node: TreeNode, index: number): number {
  return uint64At(node.view, node.keysAt + index * KEY_BYTES)
}

/** The data block of a mapping; the time in the lower 24 bits of its value is left out. */
export function dataBlockAt(node: TreeNode, index: number): number {
  const offset = node.valuesAt + index * INNER_VALUE_BYTES
  const low = node.view.getUint32(offset, true) >>> 24
  const high = node.view.getUint32(offset + 4, true)
  // Integers as long as they can be: most data blocks have no more than 31 bits.
  return high < 2 ** 23 ? (high << 8) | low : high * 256 + low
}

/** The children of an inner node from number `first` on, ascending. */
export function pushChildren(node: TreeNode, target: NodeRef[], first = 0): void {
  for (let index = first; index < node.entryCount; index += 1) target.push(childAt(node, index))
}

/**
 * The children of two inner nodes that begin at the same key, but for those that both have at the same index and key:
 * of most nodes that are nearly all, and nothing is made of them.
 */
export function pushUnsharedChildren(
  [one, other]: readonly [TreeNode, TreeNode],
  targets: readonly [NodeRef[], NodeRef[]],
): void {
  const views = [one.view, other.view] as const
  const end = Math.min(one.entryCount, other.entryCount)
  let index = 0
  for (; index < end; index += 1) {
    const at = index * KEY_BYTES
    if (!isSameLong(views, one.keysAt + at, other.keysAt + at)) break
    // The values of inner nodes have eight bytes too.
    if (isSameLong(views, one.valuesAt + at, other.valuesAt + at)) continue
    targets[0].push(childAt(one, index))
    targets[1].push(childAt(other, index))
  }
  pushChildren(one, targets[0], index)
  pushChildren(other, targets[1], index)
}

function isSameLong(views: readonly [DataView, DataView], inFirst: number, inSecond: number): boolean {
  return (
    views[0].getInt32(inFirst, true) === views[1].getInt32(inSecond, true) &&
    views[0].getInt32(inFirst + 4, true) === views[1].getInt32(inSecond + 4, true)
  )
}

function childAt(node: TreeNode, index: number): NodeRef {
  const { ref, view, valuesAt, entryCount } = node
  const high = index + 1 < entryCount ? keyAt(node, index + 1) : ref.high
  const block = uint64At(view, valuesAt + index * INNER_VALUE_BYTES)
  return { block, low: keyAt(node, index), high, side: ref.side }
}

/** The same node in memory of its own. */
export function detachedNode(node: TreeNode): TreeNode {
  const start = node.keysAt - NODE.keys
  const { view } = node
  const copy = new Uint8Array(view.buffer, view.byteOffset + start, METADATA_BLOCK_BYTES).slice()
  return {
    ...node,
    twin: null,
    view: new DataView(copy.buffer),
    keysAt: NODE.keys,
    valuesAt: node.valuesAt - start,
  }
}
