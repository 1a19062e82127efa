import { readStruct } from '../../bytes/struct.ts'
import { FormatError, UnmappedError } from '../format-error.ts'
import {
  CHUNK_BYTES_MAX,
  SECTOR_BYTES,
  STORE_HEADER,
  STORE_HEADER_BYTES,
  STORE_MAGIC,
  STORE_VERSION,
} from './layout.ts'

export type StoreHeader = { readonly chunkSizeBytes: number }

/**
 * Parses the start of an exception store. Throws UnmappedError when the snapshot was lost: what it showed is nowhere.
 */
export function parseStoreHeader(bytes: Uint8Array): StoreHeader {
  const place = { structure: 'dm-snapshot store header', offsetBytes: 0 }
  if (bytes.byteLength < STORE_HEADER_BYTES) {
    throw new FormatError(place, `it has ${bytes.byteLength} bytes, expected ${STORE_HEADER_BYTES}`)
  }
  const { magic, valid, version, chunkSectors } = readStruct(STORE_HEADER, bytes)
  if (magic !== STORE_MAGIC) {
    throw new FormatError(place, `magic is 0x${magic.toString(16)}, expected 0x${STORE_MAGIC.toString(16)}`)
  }
  if (version !== STORE_VERSION) {
    throw new FormatError(place, `version is ${version}, expected ${STORE_VERSION}`)
  }
  const chunkSizeBytes = chunkSectors * SECTOR_BYTES
  const isPowerOfTwo = chunkSectors > 0 && Number.isInteger(Math.log2(chunkSectors))
  if (!isPowerOfTwo || chunkSizeBytes > CHUNK_BYTES_MAX) {
    throw new FormatError(
      place,
      `chunks have ${chunkSectors} sectors, expected a power of two up to ${CHUNK_BYTES_MAX / SECTOR_BYTES}`,
    )
  }
  if (valid !== 1) {
    throw new UnmappedError(
      'invalid snapshot',
      'Cannot map snapshot: its store says that it is not valid, expected one that did not overflow',
    )
  }
  return { chunkSizeBytes }
}

/**
 * Requires that a snapshot of this type, the third word of its device-mapper table (P, PO, N), has a store that is
 * kept: a transient one has its exceptions in the kernel's memory alone.
 */
export function requirePersistentStore(type: string): void {
  if (type === 'P' || type === 'PO') return
  throw new UnmappedError(
    'transient snapshot',
    `Cannot map snapshot: its exception store is of type "${type}", expected P (persistent)`,
  )
}
