// A block of attributes, big endian: entries ascending by hash from its start, names and values from its end. Known
// from "XFS Algorithms & Data Structures", "Leaf Attributes":
//
//   header: … count (2) … (32 bytes; 80 in version 5) │ hash (4), place (2), flags (1), padding (1)
//   at place: value length (2), name length (1), name, value
//   or:       first block of the value (4), value length (4), name length (1), name
import { FormatError } from '../../format-error.ts'
import type { AttributeBlock } from './attribute-block.ts'
import { AttributeFlag } from './raw-attribute.ts'

const HEADER_BYTES = { 4: 32, 5: 80 }
const ENTRY_BYTES = 8
const LOCAL_HEADER_BYTES = 3
const REMOTE_HEADER_BYTES = 9

export type LeafAttribute = {
  readonly flags: number
  readonly name: Uint8Array
  /** The value, or where it lies in the fork. */
  readonly value: Uint8Array | RemoteValue
}

export type RemoteValue = { readonly startBlock: number; readonly sizeBytes: number }

export type AttributeLeaf = {
  readonly attributes: readonly LeafAttribute[]
  /** Of the first and the last entry; leaves ascend like the entries in them. Null for a leaf without any. */
  readonly hashes: { readonly first: number; readonly last: number } | null
}

export function parseAttributeLeaf(block: AttributeBlock): AttributeLeaf {
  const { bytes, place, version } = block
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const count = view.getUint16(block.headerBytes)
  const entriesOffset = HEADER_BYTES[version]
  const entriesEnd = entriesOffset + count * ENTRY_BYTES
  if (entriesEnd > bytes.byteLength)
    throw new FormatError(place, `it has ${count} entries, more than it can hold`)
  const attributes: LeafAttribute[] = []
  let lastHash = 0
  for (let offset = entriesOffset; offset < entriesEnd; offset += ENTRY_BYTES) {
    const hash = view.getUint32(offset)
    if (hash < lastHash) throw new FormatError(place, `the entry at ${offset} is not after the one before`)
    lastHash = hash
    const entry = { nameOffset: view.getUint16(offset + 4), flags: view.getUint8(offset + 6) }
    if (entry.nameOffset < entriesEnd) {
      throw new FormatError(
        place,
        `the entry at ${offset} has its name at ${entry.nameOffset}, among the entries`,
      )
    }
    attributes.push(attributeAt(block, view, entry))
  }
  const hashes = count === 0 ? null : { first: view.getUint32(entriesOffset), last: lastHash }
  return { attributes, hashes }
}

function attributeAt(
  { bytes, place }: AttributeBlock,
  view: DataView,
  { nameOffset, flags }: { readonly nameOffset: number; readonly flags: number },
): LeafAttribute {
  const isLocal = (flags & AttributeFlag.Local) !== 0
  const start = nameOffset + (isLocal ? LOCAL_HEADER_BYTES : REMOTE_HEADER_BYTES)
  const requireRoom = (end: number): void => {
    if (end > bytes.byteLength)
      throw new FormatError(place, `the attribute at ${nameOffset} ends beyond the block`)
  }
  requireRoom(start)
  const nameEnd = start + view.getUint8(start - 1)
  const valueEnd = nameEnd + (isLocal ? view.getUint16(nameOffset) : 0)
  requireRoom(valueEnd)
  const name = bytes.slice(start, nameEnd)
  if (isLocal) return { flags, name, value: bytes.slice(nameEnd, valueEnd) }
  const value = { startBlock: view.getUint32(nameOffset), sizeBytes: view.getUint32(nameOffset + 4) }
  return { flags, name, value }
}
