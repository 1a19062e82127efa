import { VarintReader } from '../../bytes/varint.ts'
import type { FileTime } from '../file-system.ts'
import { contextAfter, type EntryContext } from './encode-entry.ts'
import {
  itemOf,
  type AttributesPlace,
  type EntryLink,
  type EntryNode,
  type FileSetEntry,
  type RangesPlace,
  type StoredBlob,
  type StoredItem,
} from './entry.ts'
import { Flag, FLAGS_END, HARD_LINK_CODE, kindOfCode, KIND_MASK } from './entry-flags.ts'
import { readTime } from './entry-time.ts'
import {
  ATTRIBUTES_SIZE_BYTES_MAX,
  INLINE_SIZE_BYTES_MAX,
  PATH_SIZE_BYTES_MAX,
  RANGES_SIZE_BYTES_MAX,
} from './layout.ts'

/** Reads the entries of one bin, each relative to those before it. Every method throws SyntaxError. */
export class EntryParser {
  readonly #reader: VarintReader
  readonly #chunkSizeBytes: number
  #context: EntryContext

  constructor(bytes: Uint8Array, start: { readonly context: EntryContext; readonly chunkSizeBytes: number }) {
    this.#reader = new VarintReader(bytes)
    this.#context = start.context
    this.#chunkSizeBytes = start.chunkSizeBytes
  }

  get position(): number {
    return this.#reader.position
  }

  next(): FileSetEntry {
    const flags = this.#reader.readUnsigned()
    if (flags >= FLAGS_END)
      throw new SyntaxError(
        `flags are 0x${flags.toString(16)}, expected less than 0x${FLAGS_END.toString(16)}`,
      )
    const before = this.#context
    const parent = (flags & Flag.OtherParent) === 0 ? before.parent : this.#difference(before.parent)
    const name = this.#difference(before.name)
    const isLink = (flags & KIND_MASK) === HARD_LINK_CODE
    const file = isLink ? this.#link(parent) : this.#node(flags, before)
    const entry = { parent, name, file }
    this.#context = contextAfter(entry, before)
    return entry
  }

  #link(parent: Uint8Array): EntryLink {
    return { kind: 'hard-link', parent: this.#difference(parent), name: this.#bytes(PATH_SIZE_BYTES_MAX) }
  }

  #node(flags: number, before: EntryContext): EntryNode {
    const reader = this.#reader
    const kind = kindOfCode(flags & KIND_MASK)
    if (kind === null) throw new SyntaxError(`kind is ${flags & KIND_MASK}, expected 0 to 6`)
    const number = before.number + reader.readSigned()
    if (!Number.isSafeInteger(number) || number < 0)
      throw new SyntaxError(`inode is ${number}, expected 0 to 2^53`)
    const generation = (flags & Flag.Born) === 0 ? reader.readUnsigned() : 0
    const isOther = (flags & Flag.OtherOwner) !== 0
    const mode = isOther ? reader.readUnsigned() : before.mode
    if (mode > 0o7777) throw new SyntaxError(`mode is 0o${mode.toString(8)}, expected at most 0o7777`)
    const userId = isOther ? reader.readUnsigned() : before.userId
    const groupId = isOther ? reader.readUnsigned() : before.groupId
    const linkCount = (flags & Flag.LinkCount) === 0 ? 1 : reader.readUnsigned()
    const modified = readTime(reader, before.modified)
    const accessed = readTime(reader, modified)
    const changed = readTime(reader, modified)
    const born = (flags & Flag.Born) === 0 ? null : readTime(reader, modified)
    const times: Record<'accessed' | 'modified' | 'changed', FileTime> = { accessed, modified, changed }
    const owner = { number, generation, mode, userId, groupId, linkCount, ...times, born }
    const fields = this.#kindFields(kind)
    const attributes = this.#place(flags, ATTRIBUTES)
    const listed = this.#place(flags, RANGES)
    const ranges: RangesPlace = listed.kind === 'none' ? { kind: 'whole' } : listed
    const file = { ...owner, ...fields, attributes, ranges }
    return { ...file, content: kind === 'file' ? this.#content(flags, file) : null }
  }

  #kindFields(kind: EntryNode['kind']): Pick<EntryNode, 'kind' | 'target' | 'device' | 'sizeBytes'> {
    const none = { kind, target: NO_BYTES, device: null, sizeBytes: 0 }
    switch (kind) {
      case 'symlink': {
        const target = this.#bytes(PATH_SIZE_BYTES_MAX)
        return { ...none, target, sizeBytes: target.byteLength }
      }
      case 'block-device':
      case 'character-device':
        return { ...none, device: { major: this.#reader.readUnsigned(), minor: this.#reader.readUnsigned() } }
      case 'file':
      case 'directory':
      case 'fifo':
      case 'socket':
        return { ...none, sizeBytes: this.#reader.readUnsigned() }
    }
  }

  #content(flags: number, file: Pick<EntryNode, 'sizeBytes' | 'ranges'>): StoredItem | null {
    const beginsChunk = (flags & Flag.ContentBeginsChunk) !== 0
    if (file.ranges.kind === 'whole') {
      return file.sizeBytes === 0
        ? null
        : itemOf(file.sizeBytes, { beginsChunk, chunkSizeBytes: this.#chunkSizeBytes })
    }
    const sizeBytes = this.#reader.readUnsigned()
    const chunkCount = this.#reader.readUnsigned()
    const whole = itemOf(sizeBytes, { beginsChunk, chunkSizeBytes: this.#chunkSizeBytes })
    const isSound =
      sizeBytes <= file.sizeBytes && chunkCount <= whole.chunkCount && chunkCount > 0 === whole.chunkCount > 0
    if (!isSound) {
      throw new SyntaxError(
        `content is ${sizeBytes} bytes in ${chunkCount} chunks, of a file of ${file.sizeBytes} bytes`,
      )
    }
    return sizeBytes === 0 ? null : { ...whole, chunkCount }
  }

  #place(flags: number, which: PlaceFlags): AttributesPlace {
    if ((flags & which.inline) !== 0) return { kind: 'inline', bytes: this.#bytes(INLINE_SIZE_BYTES_MAX) }
    if ((flags & which.stored) === 0) return { kind: 'none' }
    const sizeBytes = this.#reader.readUnsigned()
    if (sizeBytes > which.sizeBytesMax)
      throw new SyntaxError(`${which.what} take ${sizeBytes} bytes, limit is ${which.sizeBytesMax}`)
    const bytes = this.#reader.readBytes(4)
    const checksum = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
    const blob: StoredBlob = {
      ...itemOf(sizeBytes, {
        beginsChunk: (flags & which.begins) !== 0,
        chunkSizeBytes: this.#chunkSizeBytes,
      }),
      checksum,
    }
    return { kind: 'stored', blob }
  }

  #difference(before: Uint8Array): Uint8Array {
    const shared = this.#reader.readUnsigned()
    const rest = this.#bytes(PATH_SIZE_BYTES_MAX)
    if (shared > before.byteLength || shared + rest.byteLength > PATH_SIZE_BYTES_MAX) {
      throw new SyntaxError(
        `path shares ${shared} bytes with one of ${before.byteLength}, and has ${rest.byteLength} more`,
      )
    }
    if (shared === 0) return rest
    const bytes = new Uint8Array(shared + rest.byteLength)
    bytes.set(before.subarray(0, shared))
    bytes.set(rest, shared)
    return bytes
  }

  #bytes(sizeBytesMax: number): Uint8Array {
    const length = this.#reader.readUnsigned()
    if (length > sizeBytesMax) throw new SyntaxError(`length is ${length}, limit is ${sizeBytesMax}`)
    return this.#reader.readBytes(length)
  }
}

type PlaceFlags = {
  readonly what: string
  readonly inline: number
  readonly stored: number
  readonly begins: number
  readonly sizeBytesMax: number
}

const NO_BYTES = new Uint8Array(0)
const ATTRIBUTES: PlaceFlags = {
  what: 'attributes',
  inline: Flag.AttributesInline,
  stored: Flag.AttributesStored,
  begins: Flag.AttributesBeginChunk,
  sizeBytesMax: ATTRIBUTES_SIZE_BYTES_MAX,
}
const RANGES: PlaceFlags = {
  what: 'data ranges',
  inline: Flag.RangesInline,
  stored: Flag.RangesStored,
  begins: Flag.RangesBeginChunk,
  sizeBytesMax: RANGES_SIZE_BYTES_MAX,
}
