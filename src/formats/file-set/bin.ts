import { crc32c } from '../../bytes/crc32c.ts'
import { readStruct, structSizeBytes, writeStruct } from '../../bytes/struct.ts'
import { FormatError, type StructurePlace } from '../format-error.ts'
import { hex } from '../hex.ts'
import { ContentCursor, type ItemPlace } from './content-cursor.ts'
import { NO_CONTEXT } from './encode-entry.ts'
import type { EntryLink, EntryNode, FileSetEntry } from './entry.ts'
import { BIN_ENTRIES_MAX, BIN_HEADER, BIN_HEADER_SIZE_BYTES } from './layout.ts'
import { EntryParser } from './parse-entry.ts'
import { compareBytes } from './sort-key.ts'

/** An entry, and where what belongs to it lies in the contents of the bin. */
export type BinEntry =
  | (Omit<FileSetEntry, 'file'> & { readonly file: EntryLink })
  | (Omit<FileSetEntry, 'file'> & {
      readonly file: EntryNode
      readonly attributesPlace: ItemPlace | null
      readonly rangesPlace: ItemPlace | null
      readonly contentPlace: ItemPlace | null
    })

/** The entries of a bin that are in one directory: from `start` to before `end`. */
export type DirectoryPart = { readonly start: number; readonly end: number }

export type Bin = {
  readonly entries: readonly BinEntry[]
  /** By the path of the directory, its bytes as Latin-1. */
  readonly directories: ReadonlyMap<string, DirectoryPart>
  /** Chunks that the contents take. */
  readonly chunkCount: number
}

/** The bytes of a bin, without what fills it up to whole chunks. */
export function encodeBin(entries: readonly Uint8Array[]): Uint8Array {
  const entriesSizeBytes = entries.reduce((sum, entry) => sum + entry.byteLength, 0)
  const bytes = new Uint8Array(BIN_HEADER_SIZE_BYTES + entriesSizeBytes)
  let at = BIN_HEADER_SIZE_BYTES
  for (const entry of entries) {
    bytes.set(entry, at)
    at += entry.byteLength
  }
  const values = { entryCount: entries.length, entriesSizeBytes, reserved: 0, checksum: 0 }
  writeStruct(BIN_HEADER, bytes, values)
  writeStruct(BIN_HEADER, bytes, { ...values, checksum: checksumOf(bytes, entriesSizeBytes) })
  return bytes
}

/** Throws FormatError. `bytes` are the chunks of the bin. */
export function parseBin(bytes: Uint8Array, place: StructurePlace, chunkSizeBytes: number): Bin {
  const header = readStruct(BIN_HEADER, bytes)
  if (header.entriesSizeBytes > bytes.byteLength - structSizeBytes(BIN_HEADER)) {
    throw new FormatError(
      place,
      `entries take ${header.entriesSizeBytes} bytes, the bin has ${bytes.byteLength}`,
    )
  }
  const checksum = checksumOf(bytes, header.entriesSizeBytes)
  if (header.checksum !== checksum) {
    throw new FormatError(place, `checksum is ${hex(header.checksum)}, expected ${hex(checksum)}`)
  }
  if (header.entryCount > BIN_ENTRIES_MAX || header.entryCount === 0) {
    throw new FormatError(place, `it has ${header.entryCount} entries, expected 1 to ${BIN_ENTRIES_MAX}`)
  }
  try {
    const end = BIN_HEADER_SIZE_BYTES + header.entriesSizeBytes
    return parseEntries(bytes.subarray(BIN_HEADER_SIZE_BYTES, end), header.entryCount, chunkSizeBytes)
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError)
      throw new FormatError(place, error.message)
    throw error
  }
}

function parseEntries(bytes: Uint8Array, count: number, chunkSizeBytes: number): Bin {
  const parser = new EntryParser(bytes, { context: NO_CONTEXT, chunkSizeBytes })
  const cursor = new ContentCursor(chunkSizeBytes)
  const entries: BinEntry[] = []
  const directories = new Map<string, DirectoryPart>()
  let start = 0
  for (let index = 0; index < count; index += 1) {
    const before = entries.at(-1)
    const entry = placed(parser.next(), cursor)
    // The parser gives the same bytes for the same directory.
    if (before !== undefined && before.parent !== entry.parent) {
      addDirectory(directories, before.parent, { start, end: index })
      start = index
    } else if (before !== undefined && compareBytes(before.name, entry.name) >= 0) {
      throw new SyntaxError(`entry ${index} has a name that is not behind the one before`)
    }
    entries.push(entry)
  }
  addDirectory(directories, entries.at(-1)?.parent ?? new Uint8Array(0), { start, end: count })
  if (parser.position !== bytes.byteLength) {
    throw new SyntaxError(`entries end at byte ${parser.position}, expected ${bytes.byteLength}`)
  }
  return { entries, directories, chunkCount: cursor.chunkCount }
}

function addDirectory(directories: Map<string, DirectoryPart>, path: Uint8Array, part: DirectoryPart): void {
  const text = latin1(path)
  if (directories.has(text)) throw new SyntaxError('entries of one directory lie apart')
  directories.set(text, part)
}

/** A path as the key of a map: one character for each byte. */
export function latin1(path: Uint8Array): string {
  let text = ''
  for (const byte of path) text += String.fromCharCode(byte)
  return text
}

function placed(entry: FileSetEntry, cursor: ContentCursor): BinEntry {
  const { parent, name, file } = entry
  if (file.kind === 'hard-link') return { parent, name, file }
  const { attributes, ranges, content } = file
  const attributesPlace = attributes.kind === 'stored' ? cursor.place(attributes.blob) : null
  const rangesPlace = ranges.kind === 'stored' ? cursor.place(ranges.blob) : null
  const contentPlace = content === null ? null : cursor.place(content)
  return { parent, name, file, attributesPlace, rangesPlace, contentPlace }
}

function checksumOf(bytes: Uint8Array, entriesSizeBytes: number): number {
  const entries = bytes.subarray(BIN_HEADER_SIZE_BYTES, BIN_HEADER_SIZE_BYTES + entriesSizeBytes)
  return crc32c(entries, crc32c(bytes.subarray(0, BIN_HEADER.checksum[0])))
}
