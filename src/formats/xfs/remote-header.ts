// What version 5 puts before a part of a symlink's target, and before each block of an attribute's value:
//
//   magic (4), offset in the whole (4), bytes of it here (4), checksum (4), UUID (16), owner (8), address (8), log (8)
//
// Known from "XFS Algorithms & Data Structures", "Symbolic Links" and "Remote Attribute Values".
import { FormatError, type StructurePlace } from '../format-error.ts'
import { hex } from '../hex.ts'
import { REMOTE_BLOCK, requireSelfDescription, type BlockIdentity } from './self-description.ts'

export const REMOTE_HEADER_BYTES = 56

export type RemotePart = BlockIdentity & {
  readonly magic: number
  readonly offset: number
  readonly length: number
}

/** Throws FormatError unless `bytes` begin with the header of the part that is expected. */
export function requireRemoteHeader(bytes: Uint8Array, place: StructurePlace, expected: RemotePart): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const magic = view.getUint32(0)
  if (magic !== expected.magic) {
    throw new FormatError(place, `magic is ${hex(magic)}, expected ${hex(expected.magic)}`)
  }
  requireSelfDescription(bytes, place, { ...expected, fields: REMOTE_BLOCK })
  const offset = view.getUint32(4)
  const length = view.getUint32(8)
  if (offset !== expected.offset || length !== expected.length) {
    throw new FormatError(
      place,
      `it has ${length} bytes from ${offset}, expected ${expected.length} from ${expected.offset}`,
    )
  }
}
