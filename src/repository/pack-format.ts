import { Magic } from './magic.ts'
import { FILE_HEADER_SIZE } from './file-header.ts'
import { TAG_SIZE } from './aes-gcm.ts'

/**
 * A pack:
 *
 *   header | entry | entry | … | directory | zeros | trailer
 *   64       stored bytes of     44 an entry,         32
 *            chunks and nodes    sealed
 *
 * Its length is a multiple of 4,096, so that it can be written with direct I/O. Its name is the SHA-256 of it all.
 *
 * A directory entry:              The trailer:
 *   0x00  id           32 bytes     0x00  magic             8 bytes
 *   0x20  offset       u32le        0x08  directory offset  u32le
 *   0x24  stored size  u32le        0x0c  directory length  u32le, as stored
 *   0x28  kind         u8           0x10  entry count       u32le
 *   0x29  encoding     u8           0x14  reserved          12 bytes, zero
 *   0x2a  reserved     u16, zero
 */
export const PACK_ALIGNMENT = 4096
export const DIRECTORY_ENTRY_SIZE = 44
export const PACK_TRAILER_SIZE = 32
/** Packs aim at 8 MiB; a reader accepts eight times that, and nothing beyond. */
export const PACK_SIZE_MAX = 64 * 1024 * 1024
const MAGIC_BYTES = Uint8Array.fromHex(Magic.PackTrailer)

export const EntryKind = { Chunk: 0, Node: 1 } as const
export type EntryKind = (typeof EntryKind)[keyof typeof EntryKind]
export const Encoding = { Raw: 0, Zstd: 1 } as const
export type Encoding = (typeof Encoding)[keyof typeof Encoding]

export type PackEntry = {
  /** 32 bytes. */
  readonly id: Uint8Array
  readonly offset: number
  /** Bytes in the pack, the tag included. */
  readonly storedSize: number
  readonly kind: EntryKind
  readonly encoding: Encoding
}

export type PackTrailer = {
  readonly directoryOffset: number
  readonly directoryLength: number
  readonly entryCount: number
}

export function encodeDirectory(entries: readonly PackEntry[]): Uint8Array {
  const bytes = new Uint8Array(entries.length * DIRECTORY_ENTRY_SIZE)
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const entry of entries) {
    bytes.set(entry.id, at)
    view.setUint32(at + 0x20, entry.offset, true)
    view.setUint32(at + 0x24, entry.storedSize, true)
    view.setUint8(at + 0x28, entry.kind)
    view.setUint8(at + 0x29, entry.encoding)
    at += DIRECTORY_ENTRY_SIZE
  }
  return bytes
}

/** Throws SyntaxError when an entry is of no known kind, or does not follow the one before it without a gap. */
export function parseDirectory(bytes: Uint8Array, trailer: PackTrailer): PackEntry[] {
  if (bytes.byteLength !== trailer.entryCount * DIRECTORY_ENTRY_SIZE) {
    throw new SyntaxError(`directory has ${bytes.byteLength} bytes for ${trailer.entryCount} entries`)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const entries: PackEntry[] = []
  let expectedOffset = FILE_HEADER_SIZE
  for (let at = 0; at < bytes.byteLength; at += DIRECTORY_ENTRY_SIZE) {
    const entry = {
      id: bytes.slice(at, at + 32),
      offset: view.getUint32(at + 0x20, true),
      storedSize: view.getUint32(at + 0x24, true),
      kind: requireKind(view.getUint8(at + 0x28)),
      encoding: requireEncoding(view.getUint8(at + 0x29)),
    }
    if (view.getUint16(at + 0x2a, true) !== 0)
      throw new SyntaxError('reserved bytes of a directory entry are not zero')
    if (entry.offset !== expectedOffset) {
      throw new SyntaxError(`entry ${entries.length} begins at ${entry.offset}, expected ${expectedOffset}`)
    }
    expectedOffset += entry.storedSize
    entries.push(entry)
  }
  if (expectedOffset !== trailer.directoryOffset) {
    throw new SyntaxError(
      `entries end at ${expectedOffset}, the directory begins at ${trailer.directoryOffset}`,
    )
  }
  return entries
}

export function encodePackTrailer(trailer: PackTrailer): Uint8Array {
  const bytes = new Uint8Array(PACK_TRAILER_SIZE)
  const view = new DataView(bytes.buffer)
  bytes.set(MAGIC_BYTES)
  view.setUint32(8, trailer.directoryOffset, true)
  view.setUint32(12, trailer.directoryLength, true)
  view.setUint32(16, trailer.entryCount, true)
  return bytes
}

/** Reads the last 32 bytes of a pack of `packSize` bytes. Throws SyntaxError when they cannot be a trailer. */
export function parsePackTrailer(
  bytes: Uint8Array,
  pack: { sizeBytes: number; encrypted: boolean },
): PackTrailer {
  const view = new DataView(bytes.buffer, bytes.byteOffset, PACK_TRAILER_SIZE)
  const magic = bytes.subarray(0, 8).toHex()
  if (magic !== Magic.PackTrailer)
    throw new SyntaxError(`trailer magic is ${magic}, expected ${Magic.PackTrailer}`)
  if (bytes.subarray(20, PACK_TRAILER_SIZE).some((byte) => byte !== 0)) {
    throw new SyntaxError('reserved bytes of the trailer are not zero')
  }
  const trailer = {
    directoryOffset: view.getUint32(8, true),
    directoryLength: view.getUint32(12, true),
    entryCount: view.getUint32(16, true),
  }
  const length = trailer.entryCount * DIRECTORY_ENTRY_SIZE + (pack.encrypted ? TAG_SIZE : 0)
  if (trailer.directoryLength !== length) {
    throw new SyntaxError(`directory length is ${trailer.directoryLength}, expected ${length}`)
  }
  const end = trailer.directoryOffset + trailer.directoryLength
  const slack = pack.sizeBytes - PACK_TRAILER_SIZE - end
  if (trailer.directoryOffset < FILE_HEADER_SIZE || slack < 0 || slack >= PACK_ALIGNMENT) {
    throw new SyntaxError(
      `directory at ${trailer.directoryOffset} with ${length} bytes does not fit the pack`,
    )
  }
  return trailer
}

/** The whole length of a pack whose directory ends at `end`. */
export function paddedPackSize(end: number): number {
  return Math.ceil((end + PACK_TRAILER_SIZE) / PACK_ALIGNMENT) * PACK_ALIGNMENT
}

function requireKind(value: number): EntryKind {
  if (value === EntryKind.Chunk || value === EntryKind.Node) return value
  throw new SyntaxError(`entry kind is ${value}, expected 0 or 1`)
}

function requireEncoding(value: number): Encoding {
  if (value === Encoding.Raw || value === Encoding.Zstd) return value
  throw new SyntaxError(`entry encoding is ${value}, expected 0 or 1`)
}
