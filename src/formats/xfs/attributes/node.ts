// An inner block of the tree of attributes, big endian. Known from "XFS Algorithms & Data Structures", "Node
// Attributes":
//
//   header: … count (2), level (2) … (16 bytes; 64 in version 5) │ hash (4), block (4)
import { FormatError } from '../../format-error.ts'
import type { AttributeBlock } from './attribute-block.ts'

const HEADER_BYTES = { 4: 16, 5: 64 }
const ENTRY_BYTES = 8
/** No tree of the kernel is deeper. */
const LEVEL_MAX = 5

export type AttributeNode = {
  /** 1 just above the leaves. */
  readonly level: number
  /** The child whose hashes are the smallest. */
  readonly firstChild: number
}

export function parseAttributeNode({ bytes, place, version, headerBytes }: AttributeBlock): AttributeNode {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const count = view.getUint16(headerBytes)
  const level = view.getUint16(headerBytes + 2)
  const countMax = Math.floor((bytes.byteLength - HEADER_BYTES[version]) / ENTRY_BYTES)
  if (count === 0 || count > countMax) {
    throw new FormatError(place, `it holds ${count} children, expected 1 to ${countMax}`)
  }
  if (level === 0 || level > LEVEL_MAX) {
    throw new FormatError(place, `level is ${level}, expected 1 to ${LEVEL_MAX}`)
  }
  return { level, firstChild: view.getUint32(HEADER_BYTES[version] + 4) }
}
