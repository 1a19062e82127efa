import { crc32c } from '../../bytes/crc32c.ts'
import type { Extent, ExtentBatch } from '../../domain/extent.ts'
import type { FrozenImage } from '../../domain/frozen-image.ts'
import { endOf, type Range, type RangeBatch } from '../../domain/range.ts'
import { BATCH_LENGTH } from '../../extents/batches.ts'
import type { Catalogue, CatalogueName, CataloguePiece, NameChoice } from '../catalogue.ts'
import type { DirectoryEntry, ExtendedAttribute, FileNode, FileSystem } from '../file-system.ts'
import { FormatError, type StructurePlace } from '../format-error.ts'
import { parseAttributes } from './attribute-list.ts'
import { latin1, type BinEntry } from './bin.ts'
import { BinReader, type OpenBin } from './bin-reader.ts'
import type { ItemPlace } from './content-cursor.ts'
import { ContentShape } from './content-shape.ts'
import { parseDataRanges, type DataRanges } from './data-ranges.ts'
import type { EntryLink, StoredBlob } from './entry.ts'
import { BIN_ENTRIES_MAX } from './layout.ts'
import { readFileSetIndex, type FileSetIndex } from './read-index.ts'
import { rangesInSegments } from './segments.ts'
import { compareBytes, pathOf, sortKey, startsWith } from './sort-key.ts'

/**
 * The files of a file set. A file's number is its place in the catalogue; a further name of it has one of its own,
 * which leads to the file. Throws FormatError, and UnmappedError for a later version.
 */
export async function openFileSet(image: FrozenImage): Promise<FileSystem> {
  const index = await readFileSetIndex(image)
  return new FileSet({ image, index, bins: new BinReader(image, index), choice: null })
}

type FoundName = { readonly bin: OpenBin; readonly ordinal: number; readonly entry: BinEntry }

type FoundEntry = FoundName & { readonly entry: Exclude<BinEntry, { file: EntryLink }> }

type FileSetParts = {
  readonly image: FrozenImage
  readonly index: FileSetIndex
  readonly bins: BinReader
  /** What folders show; null for all. */
  readonly choice: NameChoice | null
}

class FileSet implements FileSystem, Catalogue {
  readonly format = 'file set'
  readonly label: string
  readonly uuid: string
  readonly blockSizeBytes: number
  readonly sizeBytes: number
  readonly allocation = { proven: true } as const
  readonly findings = []
  readonly rootInodeNumber = 1
  readonly #parts: FileSetParts
  readonly #image: FrozenImage
  readonly #bins: BinReader
  /** Of the file that was asked for last: it is mostly asked for again. */
  #shape: { readonly number: number; readonly shape: Promise<ContentShape> } | null = null

  constructor(parts: FileSetParts) {
    const { image, index, bins } = parts
    this.#parts = parts
    this.label = index.origin.label
    this.uuid = index.origin.uuid
    this.blockSizeBytes = index.header.chunkSizeBytes
    this.sizeBytes = index.header.imageSizeBytes
    this.#image = image
    this.#bins = bins
  }

  get catalogue(): Catalogue {
    return this
  }

  get pieces(): readonly CataloguePiece[] {
    return this.#parts.index.bins.map(({ key, place, contents }) => ({
      key,
      ranges: [place, ...contents].map(({ position, count }) => ({
        offset: position * this.blockSizeBytes,
        length: count * this.blockSizeBytes,
      })),
    }))
  }

  async namesIn(piece: number): Promise<readonly CatalogueName[]> {
    return (await this.#bins.open(piece)).entries
  }

  async numberOf(parent: Uint8Array, name: Uint8Array): Promise<number | null> {
    const found = await this.#lookUp(parent, name)
    return found === null ? null : numberOf(found)
  }

  showing(choice: NameChoice): FileSystem {
    return new FileSet({ ...this.#parts, choice })
  }

  async *usedRanges(signal: AbortSignal): AsyncGenerator<RangeBatch> {
    signal.throwIfAborted()
    yield await Promise.resolve([{ offset: 0, length: this.sizeBytes }])
  }

  async readNode(inodeNumber: number): Promise<FileNode> {
    return nodeOf(await this.#find(inodeNumber))
  }

  async *readDirectory(node: FileNode, signal: AbortSignal): AsyncGenerator<readonly DirectoryEntry[]> {
    const found = await this.#find(node.number)
    // The root's own entry has neither.
    const path = pathOf(found.entry.parent, found.entry.name)
    const key = sortKey(path, new Uint8Array(0))
    const text = latin1(path)
    const { choice } = this.#parts
    const chosen = choice?.names.get(text)
    if (chosen !== undefined) yield await this.#entriesOutside(choice, path, chosen)
    for (let index = this.#bins.find(key); index < this.#bins.count; index += 1) {
      signal.throwIfAborted()
      if (choice === null || choice.pieces.has(index)) {
        const bin = await this.#bins.open(index)
        const part = bin.directories.get(text)
        if (part !== undefined) yield entriesOf(bin, part.start, part.end)
      }
      if (!startsWith(this.#bins.keyOf(index + 1), key)) return
    }
  }

  /** Those of some names that are in none of the bins that are shown whole. */
  async #entriesOutside(
    choice: NameChoice | null,
    path: Uint8Array,
    names: ReadonlySet<string>,
  ): Promise<DirectoryEntry[]> {
    const entries: DirectoryEntry[] = []
    for (const text of names) {
      const name = bytesOf(text)
      const found = await this.#lookUp(path, name)
      if (found === null || choice?.pieces.has(found.bin.index) === true) continue
      entries.push({ name, inodeNumber: numberOf(found) })
    }
    return entries
  }

  async *fileExtents(node: FileNode, range: Range, signal: AbortSignal): AsyncGenerator<ExtentBatch> {
    const found = await this.#find(node.number)
    const shape = await this.#shapeOf(found)
    const chunk = found.entry.contentPlace?.chunk ?? 0
    const within = found.entry.contentPlace?.offset ?? 0
    let batch: Extent[] = []
    let position = range.offset
    for (const piece of shape.pieces(range)) {
      if (piece.offset > position) {
        batch.push({ kind: 'zero', offset: position, length: piece.offset - position })
      }
      position = piece.offset
      const run = { chunk: chunk + piece.chunk, within: within + piece.within, length: piece.length }
      for (const { offset: physicalOffset, length } of this.#rangesOf(found, run)) {
        batch.push({ kind: 'data', offset: position, length, device: 0, physicalOffset })
        position += length
      }
      if (batch.length < BATCH_LENGTH) continue
      signal.throwIfAborted()
      yield batch
      batch = []
    }
    if (position < endOf(range))
      batch.push({ kind: 'zero', offset: position, length: endOf(range) - position })
    if (batch.length > 0) yield batch
  }

  async readSymlink(node: FileNode): Promise<Uint8Array> {
    return (await this.#find(node.number)).entry.file.target
  }

  async readAttributes(node: FileNode): Promise<readonly ExtendedAttribute[]> {
    const found = await this.#find(node.number)
    const { attributes } = found.entry.file
    if (attributes.kind === 'none') return []
    const place = placeOf(found, 'attributes')
    const bytes =
      attributes.kind === 'inline'
        ? attributes.bytes
        : await this.#readBlob(found, { blob: attributes.blob, at: found.entry.attributesPlace, place })
    return parsed(place, () => parseAttributes(bytes))
  }

  /** The entry of a number; of a further name, that of the first one. */
  async #find(inodeNumber: number): Promise<FoundEntry> {
    const index = Math.floor((inodeNumber - 1) / BIN_ENTRIES_MAX)
    const bin = await this.#bins.open(index)
    const ordinal = (inodeNumber - 1) % BIN_ENTRIES_MAX
    const entry = bin.entries[ordinal]
    if (entry !== undefined && !isLink(entry)) return { bin, ordinal, entry }
    const place = { structure: `file set entry ${inodeNumber}`, offsetBytes: bin.offsetBytes }
    if (entry === undefined) throw new FormatError(place, `its bin has ${bin.entries.length} entries`)
    const first = await this.#lookUpFirst(entry.file)
    if (first === null) throw new FormatError(place, 'the name that it is a further one of is not there')
    return first
  }

  /** One that leads on to another would let a damaged catalogue lead in circles. */
  async #lookUpFirst({ parent, name }: EntryLink): Promise<FoundEntry | null> {
    const found = await this.#lookUp(parent, name)
    return found === null || isLink(found.entry) ? null : { ...found, entry: found.entry }
  }

  async #lookUp(parent: Uint8Array, name: Uint8Array): Promise<FoundName | null> {
    const bin = await this.#bins.open(this.#bins.find(sortKey(parent, name)))
    const part = bin.directories.get(latin1(parent))
    let low = part?.start ?? 0
    let high = part?.end ?? 0
    while (low < high) {
      const middle = (low + high) >>> 1
      const entry = bin.entries[middle]
      if (entry === undefined) return null
      const order = compareBytes(entry.name, name)
      if (order === 0) return { bin, ordinal: middle, entry }
      if (order < 0) low = middle + 1
      else high = middle
    }
    return null
  }

  #shapeOf(found: FoundEntry): Promise<ContentShape> {
    const number = numberOf(found)
    if (this.#shape?.number === number) return this.#shape.shape
    const shape = this.#readShape(found)
    this.#shape = { number, shape }
    shape.catch(() => (this.#shape = null))
    return shape
  }

  async #readShape(found: FoundEntry): Promise<ContentShape> {
    const place = placeOf(found, 'data ranges')
    const { content, sizeBytes } = found.entry.file
    const shape = new ContentShape(await this.#rangesOfFile(found, place), this.blockSizeBytes)
    const [storedBytes, chunkCount] = [content?.sizeBytes ?? 0, content?.chunkCount ?? 0]
    if (shape.sizeBytes !== storedBytes || shape.chunkCount !== chunkCount) {
      const stated = `${storedBytes} bytes in ${chunkCount} chunks of a file of ${sizeBytes} bytes`
      throw new FormatError(
        place,
        `they take ${shape.sizeBytes} bytes in ${shape.chunkCount} chunks, its entry says ${stated}`,
      )
    }
    return shape
  }

  async #rangesOfFile(found: FoundEntry, place: StructurePlace): Promise<DataRanges> {
    const { ranges, sizeBytes, kind } = found.entry.file
    if (ranges.kind === 'whole') {
      return kind === 'file' && sizeBytes > 0 ? Float64Array.of(0, sizeBytes) : new Float64Array(0)
    }
    const bytes =
      ranges.kind === 'inline'
        ? ranges.bytes
        : await this.#readBlob(found, { blob: ranges.blob, at: found.entry.rangesPlace, place })
    return parsed(place, () => parseDataRanges(bytes, sizeBytes))
  }

  async #readBlob(
    found: FoundEntry,
    what: { readonly blob: StoredBlob; readonly at: ItemPlace | null; readonly place: StructurePlace },
  ): Promise<Uint8Array> {
    const { blob, at, place } = what
    const bytes = new Uint8Array(blob.sizeBytes)
    const run = { chunk: at?.chunk ?? 0, within: at?.offset ?? 0, length: blob.sizeBytes }
    let done = 0
    for (const { offset, length } of this.#rangesOf(found, run)) {
      await this.#image.readInto(bytes.subarray(done, done + length), offset)
      done += length
    }
    const checksum = crc32c(bytes)
    if (checksum === blob.checksum) return bytes
    throw new FormatError(
      place,
      `checksum is 0x${blob.checksum.toString(16)}, expected 0x${checksum.toString(16)}`,
    )
  }

  *#rangesOf(
    { bin }: FoundEntry,
    run: { readonly chunk: number; readonly within: number; readonly length: number },
  ): Generator<Range> {
    yield* rangesInSegments(bin.record.contents, run, this.blockSizeBytes)
  }
}

function isLink(entry: BinEntry): entry is Extract<BinEntry, { file: EntryLink }> {
  return entry.file.kind === 'hard-link'
}

function entriesOf(bin: OpenBin, start: number, end: number): DirectoryEntry[] {
  return bin.entries
    .slice(start, end)
    .map(({ name }, index) => ({ name, inodeNumber: bin.index * BIN_ENTRIES_MAX + start + index + 1 }))
    .filter(({ name }) => name.byteLength > 0)
}

/** Of text that has one character for each byte. */
function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

function numberOf({ bin, ordinal }: FoundName): number {
  return bin.index * BIN_ENTRIES_MAX + ordinal + 1
}

function nodeOf(found: FoundEntry): FileNode {
  const { kind, mode, userId, groupId, sizeBytes, linkCount, accessed, modified, changed, born, device } =
    found.entry.file
  const { number, generation } = found.entry.file
  return {
    number: numberOf(found),
    generation: 0,
    origin: { number, generation },
    kind,
    mode,
    userId,
    groupId,
    sizeBytes,
    linkCount,
    accessed,
    modified,
    changed,
    born,
    device,
  }
}

function placeOf(found: FoundEntry, what: string): StructurePlace {
  return { structure: `${what} of file set entry ${numberOf(found)}`, offsetBytes: found.bin.offsetBytes }
}

function parsed<T>(place: StructurePlace, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError)
      throw new FormatError(place, error.message)
    throw error
  }
}
