import assert from 'node:assert/strict'
import { crc32c } from '../../bytes/crc32c.ts'
import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import { encodeBin } from '../../formats/file-set/bin.ts'
import {
  encodeCatalogueIndex,
  type BinRecord,
  type FileSetOrigin,
} from '../../formats/file-set/catalogue-index.ts'
import { ContentCursor, type ItemPlace } from '../../formats/file-set/content-cursor.ts'
import { ContentShape } from '../../formats/file-set/content-shape.ts'
import { encodeDataRanges } from '../../formats/file-set/data-ranges.ts'
import {
  contextAfter,
  encodeEntry,
  NO_CONTEXT,
  type EntryContext,
} from '../../formats/file-set/encode-entry.ts'
import { encodeFileSetHeader } from '../../formats/file-set/encode-header.ts'
import {
  itemOf,
  type AttributesPlace,
  type EntryLink,
  type EntryNode,
  type FileSetEntry,
} from '../../formats/file-set/entry.ts'
import * as layout from '../../formats/file-set/layout.ts'
import type { FileSetIndex } from '../../formats/file-set/read-index.ts'
import { rangesInSegments } from '../../formats/file-set/segments.ts'
import { compareBytes, sortKey } from '../../formats/file-set/sort-key.ts'
import { ChunkSpace, type BinSpace } from './chunk-space.ts'
import { ExtentColumns, type DataExtent } from './extent-columns.ts'
import type { FileContent } from './file-content.ts'
import { pathShare } from './path-hash.ts'
import type { Scratch } from './scratch.ts'

/** What a bin should describe: enough that bins are few, little enough that what grows moves little. */
const CONTENT_CHUNKS_WANTED = 1024
/** What an entry takes besides its name, about. */
const ENTRY_SIZE_BYTES = 32

export type FileSetParts = {
  readonly chunkSizeBytes: number
  readonly scratch: Scratch
  readonly scratchDevice: number
  /** The file set of the point before, whose layout is kept; null for a new one. */
  readonly before: FileSetIndex | null
}

/** A name and what it stands for, in order. */
export type FileDraft = {
  readonly parent: Uint8Array
  readonly name: Uint8Array
  readonly file: EntryLink | NodeDraft
}

export type NodeDraft = Omit<EntryNode, 'attributes' | 'ranges' | 'content'> & {
  /** Encoded; null for none. */
  readonly attributes: Uint8Array | null
  readonly content: FileContent
}

/** Bytes of the catalogue that lie with the contents, and where. */
type PlacedBlob = { readonly bytes: Uint8Array; readonly place: ItemPlace }

type Placed = {
  readonly entry: FileSetEntry
  readonly encoded: Uint8Array
  readonly cursor: ContentCursor
  readonly blobs: readonly PlacedBlob[]
  readonly content: {
    readonly extents: readonly DataExtent[]
    readonly shape: ContentShape
    readonly place: ItemPlace
  } | null
}

/** The bin that is being filled. */
type OpenBin = {
  readonly key: Uint8Array
  readonly space: BinSpace
  readonly entries: Uint8Array[]
  sizeBytes: number
  cursor: ContentCursor
  context: EntryContext
}

/** Lays a file set out: the catalogue goes to the scratch file, and a map says where each byte of the image lies. */
export class FileSetWriter {
  readonly extents: ExtentColumns = new ExtentColumns()
  readonly #parts: FileSetParts
  readonly #space: ChunkSpace
  readonly #bins: BinRecord[] = []
  readonly #binSizeBytesMax: number
  #bin: OpenBin | null = null
  #lastKey: Uint8Array | null = null

  constructor(parts: FileSetParts) {
    this.#parts = parts
    this.#space = new ChunkSpace(parts.before)
    this.#binSizeBytesMax = Math.min(layout.BIN_SIZE_BYTES_MAX, parts.chunkSizeBytes)
  }

  /** Adds one; in the order of `sortKey()`. */
  async add(draft: FileDraft): Promise<void> {
    const key = sortKey(draft.parent, draft.name)
    assert(this.#lastKey === null || compareBytes(this.#lastKey, key) < 0)
    this.#lastKey = key
    if (this.#bin !== null && this.#endsBefore(this.#bin, key, draft)) await this.#closeBin(this.#bin)
    let bin = this.#bin ?? this.#openBin(key)
    let placed = this.#place(bin, key, draft)
    if (bin.entries.length > 0 && bin.sizeBytes + placed.encoded.byteLength > this.#binSizeBytesMax) {
      await this.#closeBin(bin)
      bin = this.#openBin(key)
      placed = this.#place(bin, key, draft)
    }
    bin.entries.push(placed.encoded)
    bin.sizeBytes += placed.encoded.byteLength
    bin.cursor = placed.cursor
    bin.context = contextAfter(placed.entry, bin.context)
    bin.space.growContents(placed.cursor.chunkCount)
    await this.#putContents(bin, placed)
  }

  /** Ends the image; returns its size. */
  async finish(origin: FileSetOrigin): Promise<number> {
    if (this.#bin !== null) await this.#closeBin(this.#bin)
    const { chunkSizeBytes } = this.#parts
    const index = encodeCatalogueIndex({ origin, bins: this.#bins })
    if (index.byteLength > layout.INDEX_SIZE_BYTES_MAX) {
      const message = `Cannot back up files: their index takes ${index.byteLength} bytes, limit is ${layout.INDEX_SIZE_BYTES_MAX}; required are fewer files, or the whole volume`
      throw new BackupError(ErrorCode.SourceUnsuitable, message)
    }
    const isInHead = layout.HEADER_SIZE_BYTES + index.byteLength <= chunkSizeBytes
    const indexOffset = isInHead
      ? layout.HEADER_SIZE_BYTES
      : this.#space.takeAtEnd(Math.ceil(index.byteLength / chunkSizeBytes)).position * chunkSizeBytes
    const header = encodeFileSetHeader({
      chunkSizeBytes,
      imageSizeBytes: this.#space.chunkCount * chunkSizeBytes,
      indexOffset,
      indexSizeBytes: index.byteLength,
      indexChecksum: crc32c(index),
      usedChunkCount: this.#space.usedCount,
      binCount: this.#bins.length,
    })
    await this.#put(header, 0)
    await this.#put(index, indexOffset)
    return this.#space.chunkCount * chunkSizeBytes
  }

  #openBin(key: Uint8Array): OpenBin {
    this.#bin = {
      key,
      space: this.#space.openBin(key),
      entries: [],
      sizeBytes: layout.BIN_HEADER_SIZE_BYTES,
      cursor: new ContentCursor(this.#parts.chunkSizeBytes),
      context: NO_CONTEXT,
    }
    return this.#bin
  }

  async #closeBin(bin: OpenBin): Promise<void> {
    const { chunkSizeBytes } = this.#parts
    const bytes = encodeBin(bin.entries)
    const place = bin.space.takeBin(Math.ceil(bytes.byteLength / chunkSizeBytes))
    await this.#put(bytes, place.position * chunkSizeBytes)
    this.#bins.push({ key: bin.key, place, contents: bin.space.contents })
    this.#bin = null
  }

  /** Where bins end follows from the files alone, so that one more file moves few of the others into other bins. */
  #endsBefore(bin: OpenBin, key: Uint8Array, { name, file }: FileDraft): boolean {
    if (bin.entries.length >= layout.BIN_ENTRIES_MAX) return true
    const storedBytes = file.kind === 'hard-link' ? 0 : (file.content.ranges.at(-1) ?? 0)
    const share =
      (ENTRY_SIZE_BYTES + name.byteLength) / this.#binSizeBytesMax +
      storedBytes / (CONTENT_CHUNKS_WANTED * this.#parts.chunkSizeBytes)
    return pathShare(key, 1) < share
  }

  #place(bin: OpenBin, key: Uint8Array, { parent, name, file }: FileDraft): Placed {
    const cursor = bin.cursor.clone()
    if (file.kind === 'hard-link') {
      const entry = { parent, name, file }
      return { entry, encoded: encodeEntry(entry, bin.context), cursor, blobs: [], content: null }
    }
    const { chunkSizeBytes } = this.#parts
    const blobs: PlacedBlob[] = []
    const { attributes: attributeBytes, content: data, ...node } = file
    const attributes =
      attributeBytes === null
        ? ({ kind: 'none' } as const)
        : placeBlob(attributeBytes, { cursor, blobs, chunkSizeBytes })
    const shape = new ContentShape(data.ranges, chunkSizeBytes)
    const ranges = isWhole(file)
      ? ({ kind: 'whole' } as const)
      : placeBlob(encodeDataRanges(data.ranges), { cursor, blobs, chunkSizeBytes })
    const beginsChunk =
      !cursor.hasRoomFor(shape.sizeBytes) || pathShare(key, 2) < shape.sizeBytes / chunkSizeBytes
    const { sizeBytes, chunkCount } = shape
    const content =
      sizeBytes === 0 ? null : { sizeBytes, chunkCount, beginsChunk: chunkCount === 0 && beginsChunk }
    const place = content === null ? null : cursor.place(content)
    const entry = { parent, name, file: { ...node, attributes, ranges, content } }
    const encoded = encodeEntry(entry, bin.context)
    return {
      entry,
      encoded,
      cursor,
      blobs,
      content: place === null ? null : { extents: data.extents, shape, place },
    }
  }

  async #putContents(bin: OpenBin, { blobs, content }: Placed): Promise<void> {
    const { scratch, scratchDevice: device } = this.#parts
    for (const { bytes, place } of blobs) {
      const physicalOffset = await scratch.append(bytes)
      const run = { chunk: place.chunk, within: place.offset, length: bytes.byteLength }
      this.#map(bin, run, { device, physicalOffset })
    }
    if (content === null) return
    for (const extent of content.extents) {
      let { physicalOffset } = extent
      for (const { chunk, within, length } of content.shape.pieces(extent)) {
        const run = { chunk: content.place.chunk + chunk, within: content.place.offset + within, length }
        this.#map(bin, run, { device: extent.device, physicalOffset })
        physicalOffset += length
      }
    }
  }

  /** Says where a run of the bin's contents lies. */
  #map(
    bin: OpenBin,
    run: { readonly chunk: number; readonly within: number; readonly length: number },
    at: { readonly device: number; readonly physicalOffset: number },
  ): void {
    let { physicalOffset } = at
    for (const { offset, length } of rangesInSegments(bin.space.contents, run, this.#parts.chunkSizeBytes)) {
      this.extents.add({ kind: 'data', offset, length, device: at.device, physicalOffset })
      physicalOffset += length
    }
  }

  async #put(bytes: Uint8Array, offset: number): Promise<void> {
    const physicalOffset = await this.#parts.scratch.append(bytes)
    const { scratchDevice: device } = this.#parts
    this.extents.add({ kind: 'data', offset, length: bytes.byteLength, device, physicalOffset })
  }
}

function isWhole({ kind, sizeBytes, content: { ranges } }: NodeDraft): boolean {
  if (kind !== 'file' || sizeBytes === 0) return true
  return ranges.length === 2 && ranges[0] === 0 && ranges[1] === sizeBytes
}

function placeBlob(
  bytes: Uint8Array,
  how: { readonly cursor: ContentCursor; readonly blobs: PlacedBlob[]; readonly chunkSizeBytes: number },
): Exclude<AttributesPlace, { kind: 'none' }> {
  const { cursor, blobs, chunkSizeBytes } = how
  if (bytes.byteLength <= layout.INLINE_SIZE_BYTES_MAX) return { kind: 'inline', bytes }
  const item = itemOf(bytes.byteLength, { beginsChunk: !cursor.hasRoomFor(bytes.byteLength), chunkSizeBytes })
  blobs.push({ bytes, place: cursor.place(item) })
  return { kind: 'stored', blob: { ...item, checksum: crc32c(bytes) } }
}
