import assert from 'node:assert/strict'
import { TAG_SIZE, type SealContext } from './aes-gcm.ts'
import type { ChunkCodec } from './chunk-codec.ts'
import { encodeFileHeader, FILE_HEADER_SIZE } from './file-header.ts'
import { deriveFileKey } from './keys.ts'
import { Magic } from './magic.ts'
import {
  DIRECTORY_ENTRY_SIZE,
  encodeDirectory,
  encodePackTrailer,
  EntryKind,
  Encoding,
  PACK_ALIGNMENT,
  PACK_TRAILER_SIZE,
  paddedPackSize,
  type PackEntry,
} from './pack-format.ts'
import type { SealingContext } from './sealed-file.ts'

/** A frame longer than this share of its chunk is not worth the decompression: the chunk is stored as it is. */
const WORTHWHILE_SHARE = 0.97
/** What is compressed to guess whether a chunk will be, once the one before it was not. */
const SAMPLE_SIZE = 4096

/** A pack that is complete: its name, its bytes and what lies in it. */
export type FinishedPack = {
  readonly id: string
  readonly bytes: Uint8Array
  /** What lies in it: 44 bytes an entry (pack-format.ts), not sealed. */
  readonly directory: Uint8Array
}

export type PackBuilderOptions = {
  readonly sealing: SealingContext
  readonly codec: ChunkCodec
  /** False in a repository with compression off. */
  readonly compress: boolean
  readonly randomSalt: () => Uint8Array
}

/** The room that a pack of `packSizeBytes` needs in memory: one more chunk than that, and all that follows. */
export function packBufferSize(options: { packSizeBytes: number; chunkSizeBytes: number }): number {
  const entriesMax = Math.ceil(options.packSizeBytes / 64) + 1
  const room = options.packSizeBytes + options.chunkSizeBytes + TAG_SIZE
  return room + Math.min(entriesMax * DIRECTORY_ENTRY_SIZE, options.packSizeBytes / 4) + 2 * PACK_ALIGNMENT
}

/**
 * Fills one pack after the other in buffers that the caller gives: chunks are compressed and sealed straight
 * into the place where they will be written from.
 */
export class PackBuilder {
  readonly #options: PackBuilderOptions
  #buffer: Uint8Array = new Uint8Array(0)
  #length = 0
  #entries: PackEntry[] = []
  #key: Uint8Array | null = null
  #lastWasIncompressible = false

  constructor(options: PackBuilderOptions) {
    this.#options = options
  }

  /** Bytes in the pack so far, its header included; 0 when none was begun. */
  get length(): number {
    return this.#length
  }

  /** Bytes that the directory will take. */
  get directoryLength(): number {
    return this.#entries.length * DIRECTORY_ENTRY_SIZE + TAG_SIZE
  }

  begin(buffer: Uint8Array): void {
    assert(this.#length === 0)
    const { sealing, randomSalt } = this.#options
    const salt = randomSalt()
    const encrypted = sealing.keys !== null
    const header = encodeFileHeader({
      magic: Magic.Pack,
      encrypted,
      repositoryId: sealing.repositoryId,
      salt,
    })
    this.#key = sealing.keys === null ? null : deriveFileKey(sealing.keys, salt)
    this.#buffer = buffer
    this.#entries = []
    this.#buffer.set(header)
    this.#length = FILE_HEADER_SIZE
  }

  /** Whether another entry of `plaintextSize` bytes fits the buffer, and the directory after it. */
  hasRoomFor(plaintextSize: number): boolean {
    const directory = this.directoryLength + DIRECTORY_ENTRY_SIZE
    const needed = this.#length + plaintextSize + TAG_SIZE + directory + PACK_TRAILER_SIZE + PACK_ALIGNMENT
    return needed <= this.#buffer.byteLength
  }

  /** Adds a chunk or node; returns the bytes that it takes in the pack. */
  add(entry: { readonly id: Uint8Array; readonly kind: EntryKind; readonly plaintext: Uint8Array }): number {
    assert(this.#length >= FILE_HEADER_SIZE && this.hasRoomFor(entry.plaintext.byteLength))
    const offset = this.#length
    const frameLength = entry.kind === EntryKind.Chunk ? this.#compress(entry.plaintext) : 0
    if (frameLength === 0) this.#buffer.set(entry.plaintext, offset)
    const bodyLength = frameLength === 0 ? entry.plaintext.byteLength : frameLength
    const id = entry.id.slice()
    const storedSize = bodyLength + this.#seal({ offset, bodyLength, id })
    const encoding = frameLength === 0 ? Encoding.Raw : Encoding.Zstd
    this.#entries.push({ id, offset, storedSize, kind: entry.kind, encoding })
    this.#length += storedSize
    return storedSize
  }

  finish(): FinishedPack {
    assert(this.#entries.length > 0)
    const directoryOffset = this.#length
    const directory = encodeDirectory(this.#entries)
    const directoryLength = this.#addDirectory(directory)
    const end = directoryOffset + directoryLength
    const size = paddedPackSize(end)
    const trailer = { directoryOffset, directoryLength, entryCount: this.#entries.length }
    this.#buffer.fill(0, end, size)
    this.#buffer.set(encodePackTrailer(trailer), size - PACK_TRAILER_SIZE)
    const bytes = this.#buffer.subarray(0, size)
    const id = this.#options.codec.digest(bytes).toHex()
    this.#length = 0
    return { id, bytes, directory }
  }

  #addDirectory(directory: Uint8Array): number {
    const offset = this.#length
    const bodyLength = directory.byteLength
    this.#buffer.set(directory, offset)
    return bodyLength + this.#seal({ offset, bodyLength, id: this.#buffer.slice(0, FILE_HEADER_SIZE) })
  }

  /** Seals what lies at `offset`, bound to `id`; returns the bytes that this adds. */
  #seal(run: { readonly offset: number; readonly bodyLength: number; readonly id: Uint8Array }): number {
    if (this.#key === null) return 0
    const context: SealContext = { key: this.#key, position: run.offset, associated: run.id }
    const sealed = this.#buffer.subarray(run.offset, run.offset + run.bodyLength + TAG_SIZE)
    this.#options.codec.sealInPlace(sealed, context)
    return TAG_SIZE
  }

  /** The length of the frame at the end of the pack, or 0 when the chunk is better stored as it is. */
  #compress(plaintext: Uint8Array): number {
    if (!this.#options.compress) return 0
    if (this.#lastWasIncompressible && !this.#sampleCompresses(plaintext)) return 0
    const limit = Math.floor(plaintext.byteLength * WORTHWHILE_SHARE)
    const frame = this.#options.codec.compress(plaintext, this.#buffer.subarray(this.#length))
    const worthwhile = frame > 0 && frame <= limit
    this.#lastWasIncompressible = !worthwhile
    return worthwhile ? frame : 0
  }

  #sampleCompresses(plaintext: Uint8Array): boolean {
    const middle = Math.floor(plaintext.byteLength / 2)
    const sample = plaintext.subarray(middle, middle + SAMPLE_SIZE)
    const frame = this.#options.codec.compress(sample, this.#buffer.subarray(this.#length))
    return frame > 0 && frame <= sample.byteLength * WORTHWHILE_SHARE
  }
}
