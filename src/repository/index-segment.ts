import { DIRECTORY_ENTRY_SIZE, Encoding, EntryKind } from './pack-format.ts'

/**
 * The body of an index segment: which pack holds each id.
 *
 *   0x00  pack count        u32le
 *   0x04  superseded count  u32le
 *   0x08  entry count       u32le
 *   0x0c  reserved          u32, zero
 *   0x10  pack ids          32 bytes each
 *   then  superseded        32 bytes each: ids of segments that this one replaces
 *   then  entries           48 bytes each, ascending by id
 *
 * An entry:
 *   0x00  id           32 bytes
 *   0x20  pack         u32le, an index into the pack ids
 *   0x24  offset       u32le
 *   0x28  stored size  u32le
 *   0x2c  kind         u8
 *   0x2d  encoding     u8
 *   0x2e  reserved     u16, zero
 */
export const SEGMENT_ENTRY_SIZE = 48
const HEADER_SIZE = 16
const ID_SIZE = 32
/** A writer begins a new segment when it has this many entries, so that nobody holds much more in memory. */
export const SEGMENT_ENTRIES_TARGET = 32_768
/** What a reader accepts: a million entries in as many packs. */
export const SEGMENT_SIZE_MAX = 2 ** 20 * (SEGMENT_ENTRY_SIZE + ID_SIZE)

/** One pack and its directory, as in pack-format.ts: 44 bytes an entry, sealed no more. */
export type PackContents = { readonly packId: string; readonly directory: Uint8Array }

/** A parsed segment. `entries` are the bytes as they lie, ascending by id: they are searched, not unfolded. */
export type IndexSegment = {
  readonly packIds: readonly string[]
  readonly superseded: readonly string[]
  readonly entryCount: number
  readonly entries: Uint8Array
}

export function encodeIndexSegment(
  packs: readonly PackContents[],
  superseded: readonly string[] = [],
): Uint8Array {
  const rows = new DirectoryRows(packs)
  const entriesAt = HEADER_SIZE + (packs.length + superseded.length) * ID_SIZE
  const bytes = new Uint8Array(entriesAt + rows.count * SEGMENT_ENTRY_SIZE)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, packs.length, true)
  view.setUint32(4, superseded.length, true)
  view.setUint32(8, rows.count, true)
  const ids = [...packs.map((pack) => pack.packId), ...superseded]
  for (const [index, id] of ids.entries()) bytes.set(Uint8Array.fromHex(id), HEADER_SIZE + index * ID_SIZE)
  let at = entriesAt
  for (const row of rows.ascending()) {
    const entry = rows.entryAt(row)
    bytes.set(entry.subarray(0, ID_SIZE), at)
    view.setUint32(at + 0x20, rows.packOf(row), true)
    bytes.set(entry.subarray(0x20), at + 0x24)
    at += SEGMENT_ENTRY_SIZE
  }
  return bytes
}

/** The entries of several directories, sorted by numbers in typed arrays: an object for each would be twenty times the size. */
class DirectoryRows {
  readonly count: number
  readonly #entries: Uint8Array
  readonly #packs: Uint32Array
  /** The first six bytes of each id, as a number. */
  readonly #keys: Float64Array

  constructor(packs: readonly PackContents[]) {
    this.#entries = Buffer.concat(packs.map((pack) => pack.directory))
    this.count = this.#entries.byteLength / DIRECTORY_ENTRY_SIZE
    this.#packs = new Uint32Array(this.count)
    this.#keys = new Float64Array(this.count)
    const view = new DataView(this.#entries.buffer, this.#entries.byteOffset, this.#entries.byteLength)
    let row = 0
    for (const [pack, { directory }] of packs.entries()) {
      for (let at = 0; at < directory.byteLength; at += DIRECTORY_ENTRY_SIZE) {
        const from = row * DIRECTORY_ENTRY_SIZE
        this.#keys[row] = view.getUint32(from, false) * 65_536 + view.getUint16(from + 4, false)
        this.#packs[row] = pack
        row += 1
      }
    }
  }

  ascending(): Uint32Array {
    const order = Uint32Array.from({ length: this.count }, (_, row) => row)
    return order.toSorted(
      (a, b) => (this.#keys[a] ?? 0) - (this.#keys[b] ?? 0) || Buffer.compare(this.#idAt(a), this.#idAt(b)),
    )
  }

  entryAt(row: number): Uint8Array {
    return this.#entries.subarray(row * DIRECTORY_ENTRY_SIZE, (row + 1) * DIRECTORY_ENTRY_SIZE)
  }

  packOf(row: number): number {
    return this.#packs[row] ?? 0
  }

  #idAt(row: number): Uint8Array {
    return this.entryAt(row).subarray(0, ID_SIZE)
  }
}

/** Throws SyntaxError when the bytes cannot be a segment. */
export function parseIndexSegment(bytes: Uint8Array): IndexSegment {
  if (bytes.byteLength < HEADER_SIZE) throw new SyntaxError(`index segment has ${bytes.byteLength} bytes`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const packCount = view.getUint32(0, true)
  const supersededCount = view.getUint32(4, true)
  const entryCount = view.getUint32(8, true)
  const entriesAt = HEADER_SIZE + (packCount + supersededCount) * ID_SIZE
  const expected = entriesAt + entryCount * SEGMENT_ENTRY_SIZE
  if (bytes.byteLength !== expected || view.getUint32(12, true) !== 0) {
    throw new SyntaxError(`index segment has ${bytes.byteLength} bytes, its counts need ${expected}`)
  }
  const idAt = (index: number): string =>
    bytes
      .subarray(HEADER_SIZE + index * ID_SIZE)
      .subarray(0, ID_SIZE)
      .toHex()
  const ids = Array.from({ length: packCount + supersededCount }, (_, index) => idAt(index))
  const entries = bytes.subarray(entriesAt)
  requireOrder(entries, packCount)
  return { packIds: ids.slice(0, packCount), superseded: ids.slice(packCount), entryCount, entries }
}

/** What one entry of 48 bytes says, with its pack as a number. */
export type SegmentEntry = {
  readonly pack: number
  readonly offset: number
  readonly storedSize: number
  readonly kind: EntryKind
  readonly encoding: Encoding
}

export function readSegmentEntry(view: DataView, at: number): SegmentEntry {
  return {
    pack: view.getUint32(at + 0x20, true),
    offset: view.getUint32(at + 0x24, true),
    storedSize: view.getUint32(at + 0x28, true),
    kind: view.getUint8(at + 0x2c) === EntryKind.Node ? EntryKind.Node : EntryKind.Chunk,
    encoding: view.getUint8(at + 0x2d) === Encoding.Zstd ? Encoding.Zstd : Encoding.Raw,
  }
}

function requireOrder(entries: Uint8Array, packCount: number): void {
  const view = new DataView(entries.buffer, entries.byteOffset, entries.byteLength)
  for (let at = 0; at < entries.byteLength; at += SEGMENT_ENTRY_SIZE) {
    const pack = view.getUint32(at + 0x20, true)
    if (pack >= packCount) throw new SyntaxError(`index entry names pack ${pack} of ${packCount}`)
    if (
      view.getUint8(at + 0x2c) > 1 ||
      view.getUint8(at + 0x2d) > 1 ||
      view.getUint16(at + 0x2e, true) !== 0
    ) {
      throw new SyntaxError('index entry has an unknown kind or encoding')
    }
    if (at === 0) continue
    const before = entries.subarray(at - SEGMENT_ENTRY_SIZE, at - SEGMENT_ENTRY_SIZE + ID_SIZE)
    if (Buffer.compare(before, entries.subarray(at, at + ID_SIZE)) > 0) {
      throw new SyntaxError('index entries are not ascending')
    }
  }
}
