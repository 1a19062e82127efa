import { crc32c } from '../bytes/crc32c.ts'
import { readStruct, type StructValues } from '../bytes/struct.ts'
import { VarintReader } from '../bytes/varint.ts'
import type { Extent, ExtentBatch } from '../domain/extent.ts'
import * as format from './extent-map-format.ts'
import { PieceReader } from './piece-reader.ts'

export type DecodeOptions = {
  /** What the map has to be of: its header must say the same. */
  readonly sizeBytes: number
  readonly deviceCount: number
  readonly entryCountMax?: number
}

/**
 * The map that encodeExtents() encoded, from pieces of any lengths. Whatever the bytes are, what comes out is
 * ascending, not overlapping, within the image and on known devices.
 * Throws SyntaxError when the bytes are damaged, end early, go on after the end, or are of another image.
 */
export async function* decodeExtents(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: DecodeOptions,
): AsyncGenerator<ExtentBatch> {
  await using reader = new PieceReader(pieces)
  await locating('header', reader, () => readHeader(reader, options))
  const limits = { ...options, entriesLeft: options.entryCountMax ?? format.ENCODED_ENTRIES_MAX }
  let position = 0
  for (;;) {
    const from = position
    // Blocks build on each other: each begins where the one before ended.
    const block = await locating('block', reader, () => readBlock(reader, from, limits))
    if (block === null) break
    limits.entriesLeft -= block.entryCount
    position = block.end
    if (block.extents.length > 0) yield block.extents
  }
  const endPosition = reader.position
  if (!(await reader.isAtEnd())) {
    throw new SyntaxError(`Cannot read extent map: bytes found at byte ${endPosition}, expected the end`)
  }
}

/** Says where in the map it was that `read` found damage. */
async function locating<T>(what: string, reader: PieceReader, read: () => Promise<T>): Promise<T> {
  const start = reader.position
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof RangeError)) throw error
    const where = `${what} at byte ${start}`
    throw new SyntaxError(`Cannot read extent map, ${where}: ${error.message}`, { cause: error })
  }
}

/** Throws SyntaxError when a field is not what it has to be. */
function requireSame(field: string, found: number | string, expected: number | string): void {
  if (found !== expected) throw new SyntaxError(`${field} is ${found}, expected ${expected}`)
}

function requireAtMost(field: string, found: number, limit: number): void {
  if (found > limit) throw new SyntaxError(`${field} is ${found}, limit is ${limit}`)
}

async function readHeader(reader: PieceReader, options: DecodeOptions): Promise<void> {
  const bytes = await reader.read(format.HEADER_SIZE_BYTES)
  const header = readStruct(format.HEADER, bytes)
  requireSame('magic', header.magic.toHex(), format.EXTENT_MAP_MAGIC.toHex())
  requireSame('version', header.version, format.EXTENT_MAP_VERSION)
  requireSame('checksum', header.checksum, crc32c(bytes.subarray(0, format.HEADER.checksum[0])))
  requireSame('reserved field', header.reserved, 0)
  requireSame('image size', header.sizeBytes, options.sizeBytes)
  requireSame('device count', header.deviceCount, options.deviceCount)
}

type Block = { readonly extents: Extent[]; readonly entryCount: number; readonly end: number }

/** Null for the end block. */
async function readBlock(
  reader: PieceReader,
  position: number,
  limits: DecodeOptions & { readonly entriesLeft: number },
): Promise<Block | null> {
  const bytes = await reader.read(format.BLOCK_SIZE_BYTES)
  const header = readStruct(format.BLOCK, bytes)
  requireAtMost('size of entries', header.entriesSizeBytes, format.BLOCK_ENTRIES_SIZE_BYTES_MAX)
  const entries = await reader.read(header.entriesSizeBytes)
  const checksum = crc32c(entries, crc32c(bytes.subarray(0, format.BLOCK.checksum[0])))
  requireSame('checksum', header.checksum, checksum)
  requireSame('reserved field', header.reserved.toHex(), '000000')
  requireSame('offset', header.offset, position)
  requireAtMost('unit shift', header.unitShift, format.UNIT_SHIFT_MAX)
  requireAtMost('entry count', header.entryCount, Math.min(format.BLOCK_ENTRIES_MAX, limits.entriesLeft))

  const entryReader = new EntryReader(entries, header, limits)
  const extents: Extent[] = []
  for (let entry = 0; entry < header.entryCount; entry += 1) {
    const extent = entryReader.read()
    if (extent !== null) extents.push(extent)
  }
  requireSame('end of entries', entryReader.bytesRead, entries.byteLength)
  return header.entryCount === 0 ? null : { extents, entryCount: header.entryCount, end: entryReader.end }
}

class EntryReader {
  readonly #reader: VarintReader
  readonly #limits: DecodeOptions
  readonly #unitBytes: number
  #end: number
  #device = 0
  #physicalEnd = 0

  constructor(entries: Uint8Array, block: StructValues<typeof format.BLOCK>, limits: DecodeOptions) {
    this.#reader = new VarintReader(entries)
    this.#limits = limits
    this.#unitBytes = 2 ** block.unitShift
    this.#end = block.offset
  }

  /** Where the next entry begins, as an offset in the image. */
  get end(): number {
    return this.#end
  }

  get bytesRead(): number {
    return this.#reader.position
  }

  /** Null for a gap. */
  read(): Extent | null {
    const start = this.#reader.position
    const value = this.#reader.readTagged(format.ENTRY_TAG_BITS)
    const tag = this.#reader.tag
    const length = tag === format.INLINE.value ? value : value * this.#unitBytes
    const offset = this.#end
    const end = offset + length
    if (length === 0 || end > this.#limits.sizeBytes) {
      throw new SyntaxError(
        `entry at byte ${start} is ${offset}+${length}, expected 1 to ${this.#limits.sizeBytes - offset} bytes`,
      )
    }
    this.#end = end
    switch (tag) {
      case format.GAP.value:
        return null
      case format.ZERO.value:
        return { kind: 'zero', offset, length }
      case format.DATA.value:
        return { kind: 'data', offset, length, device: this.#device, physicalOffset: this.#place(length) }
      case format.DATA_ON.value:
        this.#device = this.#reader.readUnsigned()
        return { kind: 'data', offset, length, device: this.#device, physicalOffset: this.#place(length) }
      case format.INLINE.value:
        requireAtMost('inline length', length, format.INLINE_SIZE_BYTES_MAX)
        return { kind: 'inline', offset, length, bytes: this.#reader.readBytes(length) }
      default:
        throw new SyntaxError(`entry at byte ${start} has kind ${tag}, expected 0 to ${format.INLINE.value}`)
    }
  }

  /** Reads where `length` bytes lie on the device. */
  #place(length: number): number {
    const physicalOffset = this.#physicalEnd + this.#reader.readSigned() * this.#unitBytes
    const physicalEnd = physicalOffset + length
    if (physicalOffset < 0 || !Number.isSafeInteger(physicalEnd)) {
      throw new SyntaxError(`physical offset is ${physicalOffset}, expected 0 to 2^53`)
    }
    if (this.#device >= this.#limits.deviceCount) {
      throw new SyntaxError(`device is ${this.#device}, expected less than ${this.#limits.deviceCount}`)
    }
    this.#physicalEnd = physicalEnd
    return physicalOffset
  }
}
