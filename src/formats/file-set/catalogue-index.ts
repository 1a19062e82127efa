import { VarintReader, VarintWriter } from '../../bytes/varint.ts'
import { LONE_ENTRY_SIZE_BYTES_MAX, PATH_SIZE_BYTES_MAX, SEGMENTS_MAX } from './layout.ts'
import type { Segment } from './segments.ts'
import { compareBytes, sharedLength } from './sort-key.ts'

/** Where the files came from. */
export type FileSetOrigin = {
  /** The file system: ext4, xfs. */
  readonly format: string
  readonly label: string
  readonly uuid: string
  /** The volume that it was on, empty for the whole image. */
  readonly volume: string
  /** What was chosen, as the user wrote it. */
  readonly paths: readonly string[]
}

/** Where a bin and its contents lie. */
export type BinRecord = {
  /** The sort key of its first entry. */
  readonly key: Uint8Array
  readonly place: Segment
  readonly contents: readonly Segment[]
}

export type CatalogueIndex = { readonly origin: FileSetOrigin; readonly bins: readonly BinRecord[] }

const TEXT_SIZE_BYTES_MAX = 4096 * 4
const PATHS_MAX = 100_000
const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function encodeCatalogueIndex({ origin, bins }: CatalogueIndex): Uint8Array {
  const writer = new VarintWriter()
  for (const text of [origin.format, origin.label, origin.uuid, origin.volume]) writeText(writer, text)
  writer.writeUnsigned(origin.paths.length)
  for (const path of origin.paths) writeText(writer, path)
  let key: Uint8Array = new Uint8Array(0)
  let end = 0
  const writeSegment = ({ position, count }: Segment): void => {
    writer.writeSigned(position - end)
    writer.writeUnsigned(count)
    end = position + count
  }
  for (const bin of bins) {
    const shared = sharedLength(bin.key, key)
    writer.writeUnsigned(shared)
    writer.writeUnsigned(bin.key.byteLength - shared)
    writer.writeBytes(bin.key.subarray(shared))
    writer.writeUnsigned(bin.contents.length)
    for (const segment of bin.contents) writeSegment(segment)
    writeSegment(bin.place)
    key = bin.key
  }
  return writer.take()
}

/** Throws SyntaxError. */
export function parseCatalogueIndex(
  bytes: Uint8Array,
  limits: { readonly binCount: number; readonly chunkCount: number; readonly chunkSizeBytes: number },
): CatalogueIndex {
  const reader = new VarintReader(bytes)
  const origin = readOrigin(reader)
  const bins: BinRecord[] = []
  const segments = new SegmentReader(reader, limits.chunkCount)
  const binChunksMax = Math.max(1, Math.ceil(LONE_ENTRY_SIZE_BYTES_MAX / limits.chunkSizeBytes))
  for (let index = 0; index < limits.binCount; index += 1) {
    const before = bins.at(-1)?.key
    const key = readKey(reader, before ?? new Uint8Array(0))
    if (before !== undefined && compareBytes(before, key) >= 0) {
      throw new SyntaxError(`key of bin ${index} is not behind the one before`)
    }
    const count = reader.readUnsigned()
    if (count > SEGMENTS_MAX)
      throw new SyntaxError(`bin ${index} has ${count} segments, limit is ${SEGMENTS_MAX}`)
    const contents: Segment[] = []
    for (let segment = 0; segment < count; segment += 1) contents.push(segments.next())
    const place = segments.next()
    if (place.count > binChunksMax)
      throw new SyntaxError(`bin ${index} has ${place.count} chunks, limit is ${binChunksMax}`)
    bins.push({ key, place, contents })
  }
  if (!reader.isAtEnd)
    throw new SyntaxError(`bins end at byte ${reader.position}, expected ${bytes.byteLength}`)
  return { origin, bins }
}

class SegmentReader {
  readonly #reader: VarintReader
  readonly #chunkCount: number
  #end = 0

  constructor(reader: VarintReader, chunkCount: number) {
    this.#reader = reader
    this.#chunkCount = chunkCount
  }

  next(): Segment {
    const position = this.#end + this.#reader.readSigned()
    const count = this.#reader.readUnsigned()
    this.#end = position + count
    // The first chunk is the header's.
    if (position >= 1 && count >= 1 && this.#end <= this.#chunkCount) return { position, count }
    throw new SyntaxError(
      `segment is ${position}+${count}, the image has chunks 0 to ${this.#chunkCount - 1}`,
    )
  }
}

function readOrigin(reader: VarintReader): FileSetOrigin {
  const [format, label, uuid, volume] = [
    readText(reader),
    readText(reader),
    readText(reader),
    readText(reader),
  ]
  const count = reader.readUnsigned()
  if (count > PATHS_MAX) throw new SyntaxError(`paths are ${count}, limit is ${PATHS_MAX}`)
  const paths: string[] = []
  for (let index = 0; index < count; index += 1) paths.push(readText(reader))
  return { format, label, uuid, volume, paths }
}

function readKey(reader: VarintReader, before: Uint8Array): Uint8Array {
  const shared = reader.readUnsigned()
  const length = reader.readUnsigned()
  // Each slash of a path takes two bytes of a key.
  if (shared > before.byteLength || shared + length > 2 * PATH_SIZE_BYTES_MAX + 2) {
    throw new SyntaxError(
      `key shares ${shared} bytes with one of ${before.byteLength}, and has ${length} more`,
    )
  }
  const rest = reader.readBytes(length)
  const key = new Uint8Array(shared + length)
  key.set(before.subarray(0, shared))
  key.set(rest, shared)
  return key
}

function writeText(writer: VarintWriter, text: string): void {
  const bytes = encoder.encode(text)
  writer.writeUnsigned(bytes.byteLength)
  writer.writeBytes(bytes)
}

function readText(reader: VarintReader): string {
  const length = reader.readUnsigned()
  if (length > TEXT_SIZE_BYTES_MAX)
    throw new SyntaxError(`text has ${length} bytes, limit is ${TEXT_SIZE_BYTES_MAX}`)
  try {
    return decoder.decode(reader.readBytes(length))
  } catch (cause) {
    if (cause instanceof TypeError) throw new SyntaxError('text is not UTF-8', { cause })
    throw cause
  }
}
