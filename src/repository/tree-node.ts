import { Magic } from './magic.ts'

/**
 * A node of an image tree has 256 places. A leaf's places are chunks, an inner node's are nodes one level below.
 * A place that is not set is zeros.
 *
 *   0x00  magic       8 bytes
 *   0x08  level       u8, 0 for a leaf
 *   0x09  reserved    u8, zero
 *   0x0a  set places  u16le
 *   0x0c  reserved    u32, zero
 *   0x10  bitmap      32 bytes; place p is bit p % 8 of byte p / 8
 *   0x30  ids         32 bytes for each set place, ascending
 *   then, above the leaves, for each set place: u64le, chunks below it that are not zero
 */
export const PLACES = 256
const NODE_ID_SIZE = 32
const HEADER_SIZE = 48
const COUNT_SIZE = 8
export const NODE_SIZE_MAX = HEADER_SIZE + PLACES * (NODE_ID_SIZE + COUNT_SIZE)
/** 256^6 chunks of 16 KiB are more than 2^53 bytes. */
export const LEVEL_MAX = 5
const MAGIC_BYTES = Uint8Array.fromHex(Magic.TreeNode)

/** A node in memory: `ids` and `chunkCounts` have a slot for every place, used or not. */
export class TreeNode {
  readonly level: number
  readonly ids: Uint8Array
  /** For a leaf 1 where a chunk is set; above, the chunks below each place; 0 for places not set. */
  readonly chunkCounts: Float64Array

  constructor(level: number) {
    this.level = level
    this.ids = new Uint8Array(PLACES * NODE_ID_SIZE)
    this.chunkCounts = new Float64Array(PLACES)
  }

  /** A node that can be changed without changing this one. */
  copy(): TreeNode {
    const node = new TreeNode(this.level)
    node.ids.set(this.ids)
    node.chunkCounts.set(this.chunkCounts)
    return node
  }

  isSet(place: number): boolean {
    return (this.chunkCounts[place] ?? 0) > 0
  }

  /** A view of the id at `place`; meaningless when the place is not set. */
  idAt(place: number): Uint8Array {
    return this.ids.subarray(place * NODE_ID_SIZE, (place + 1) * NODE_ID_SIZE)
  }

  set(place: number, child: { readonly id: Uint8Array; readonly chunkCount: number }): void {
    this.ids.set(child.id, place * NODE_ID_SIZE)
    this.chunkCounts[place] = child.chunkCount
  }

  clear(place: number): void {
    this.chunkCounts[place] = 0
  }

  /** Clears every place from `place` on. */
  clearFrom(place: number): void {
    this.chunkCounts.fill(0, place)
  }

  /** The places that are set: 32 bytes, place p is bit p % 8 of byte p / 8. */
  setMask(): Uint8Array {
    const mask = new Uint8Array(PLACES / 8)
    for (let place = 0; place < PLACES; place += 1) {
      if (this.isSet(place)) mask[place >> 3] = (mask[place >> 3] ?? 0) | (1 << (place & 7))
    }
    return mask
  }

  get chunkCount(): number {
    let sum = 0
    for (const count of this.chunkCounts) sum += count
    return sum
  }
}

export function encodeTreeNode(node: TreeNode): Uint8Array {
  const places = [...node.chunkCounts.keys()].filter((place) => node.isSet(place))
  const perPlace = node.level === 0 ? NODE_ID_SIZE : NODE_ID_SIZE + COUNT_SIZE
  const bytes = new Uint8Array(HEADER_SIZE + places.length * perPlace)
  const view = new DataView(bytes.buffer)
  bytes.set(MAGIC_BYTES)
  view.setUint8(8, node.level)
  view.setUint16(10, places.length, true)
  bytes.set(node.setMask(), 16)
  const countsAt = HEADER_SIZE + places.length * NODE_ID_SIZE
  for (const [index, place] of places.entries()) {
    bytes.set(node.idAt(place), HEADER_SIZE + index * NODE_ID_SIZE)
    if (node.level > 0) {
      view.setBigUint64(countsAt + index * COUNT_SIZE, BigInt(node.chunkCounts[place] ?? 0), true)
    }
  }
  return bytes
}

/** Throws SyntaxError when the bytes cannot be a node of `level`. */
export function parseTreeNode(bytes: Uint8Array, level: number): TreeNode {
  const setCount = requireHeader(bytes, level)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const countsAt = HEADER_SIZE + setCount * NODE_ID_SIZE
  const node = new TreeNode(level)
  let index = 0
  for (let place = 0; place < PLACES; place += 1) {
    if ((view.getUint8(16 + (place >> 3)) & (1 << (place & 7))) === 0) continue
    if (index === setCount) throw new SyntaxError(`tree node sets more places than its count, ${setCount}`)
    const chunkCount = level === 0 ? 1 : Number(view.getBigUint64(countsAt + index * COUNT_SIZE, true))
    if (chunkCount < 1 || chunkCount > PLACES ** level) {
      throw new SyntaxError(`tree node of level ${level} counts ${chunkCount} chunks below place ${place}`)
    }
    const idAt = HEADER_SIZE + index * NODE_ID_SIZE
    node.set(place, { id: bytes.subarray(idAt, idAt + NODE_ID_SIZE), chunkCount })
    index += 1
  }
  if (index !== setCount) throw new SyntaxError(`tree node sets ${index} places, its count says ${setCount}`)
  return node
}

function requireHeader(bytes: Uint8Array, level: number): number {
  if (bytes.byteLength < HEADER_SIZE) throw new SyntaxError(`tree node has ${bytes.byteLength} bytes`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const magic = bytes.subarray(0, 8).toHex()
  if (magic !== Magic.TreeNode)
    throw new SyntaxError(`tree node magic is ${magic}, expected ${Magic.TreeNode}`)
  if (view.getUint8(8) !== level)
    throw new SyntaxError(`tree node level is ${view.getUint8(8)}, expected ${level}`)
  if (view.getUint8(9) !== 0 || view.getUint32(12, true) !== 0) {
    throw new SyntaxError('reserved bytes of a tree node are not zero')
  }
  const setCount = view.getUint16(10, true)
  const perPlace = level === 0 ? NODE_ID_SIZE : NODE_ID_SIZE + COUNT_SIZE
  const expected = HEADER_SIZE + setCount * perPlace
  if (setCount < 1 || setCount > PLACES || bytes.byteLength !== expected) {
    throw new SyntaxError(
      `tree node has ${bytes.byteLength} bytes for ${setCount} places, expected ${expected}`,
    )
  }
  return setCount
}
