import type { ChunkLocation } from '../chunk-location.ts'
import { readSegmentEntry, SEGMENT_ENTRY_SIZE, type IndexSegment } from '../index-segment.ts'
import { EntryKind } from '../pack-format.ts'
import type { Damage } from './damages.ts'
import { segmentEntrySum } from './entry-sum.ts'
import { IdTable } from './id-table.ts'

/** A pack, as the index and the store know it. */
export type PackState = {
  readonly number: number
  readonly id: string
  /** Null where the store has no such pack. */
  sizeBytes: number | null
  /** Whether a segment names it. */
  isNamed: boolean
  /** What the index says of it: entries, the sum over them (entry-sum.ts), and where the last one ends. */
  entryCount: number
  entrySum: number
  entriesEnd: number
  /** Two segments say different things about it. */
  isDisputed: boolean
  damage: Damage | null
}

type PackSum = { count: number; sum: number; end: number }

const PLACE_WORDS = 3

/**
 * What the segments say, read from the repository itself: the copy on this machine is not asked. Of a chunk only
 * its packs are kept (23 bytes for each), of a node its places.
 */
export class CheckIndex {
  readonly packs: PackState[] = []
  readonly chunks: IdTable
  /** Entries of damaged packs that cannot be opened: id and number of the pack. */
  readonly lostEntries = new IdTable()
  readonly #nodes = new IdTable()
  readonly #nodePlaces: number[] = []
  readonly #byId = new Map<string, PackState>()

  constructor(chunkCapacity: number) {
    this.chunks = new IdTable(chunkCapacity)
  }

  get nodeCount(): number {
    return this.#nodePlaces.length / PLACE_WORDS
  }

  pack(id: string): PackState | undefined {
    return this.#byId.get(id)
  }

  /** The pack `id`, made known where it was not. */
  addPack(id: string): PackState {
    const known = this.#byId.get(id)
    if (known !== undefined) return known
    const number = this.packs.length
    const counts = { entryCount: 0, entrySum: 0, entriesEnd: 0 }
    const made = { number, id, sizeBytes: null, isNamed: false, ...counts, isDisputed: false, damage: null }
    this.packs.push(made)
    this.#byId.set(id, made)
    return made
  }

  addSegment(segment: IndexSegment): void {
    const packs = segment.packIds.map((id) => this.addPack(id))
    const sums = packs.map((): PackSum => ({ count: 0, sum: 0, end: 0 }))
    const view = viewOf(segment.entries)
    for (let at = 0; at < segment.entries.byteLength; at += SEGMENT_ENTRY_SIZE) {
      const entry = readSegmentEntry(view, at)
      const pack = packs[entry.pack]
      const sum = sums[entry.pack]
      if (pack === undefined || sum === undefined) continue
      sum.count += 1
      sum.sum = (sum.sum + segmentEntrySum(view, at)) | 0
      sum.end = Math.max(sum.end, entry.offset + entry.storedSize)
      // A pack that an earlier segment named is known with all that lies in it.
      if (!pack.isNamed)
        this.#addEntry(segment.entries.subarray(at, at + 32), { ...entry, pack: pack.number })
    }
    for (const [number, pack] of packs.entries()) takeSum(pack, sums[number])
  }

  /** The states of the packs that hold `id`, as a chunk. */
  *packsOfChunk(id: Uint8Array): Generator<PackState> {
    for (let slot = this.chunks.find(id); slot >= 0; slot = this.chunks.find(id, slot)) {
      const pack = this.packs[this.chunks.valueAt(slot)]
      if (pack !== undefined) yield pack
    }
  }

  /** Where `id` lies, as a node; sound packs first. */
  placesOfNode(id: Uint8Array): readonly { readonly pack: PackState; readonly location: ChunkLocation }[] {
    const places = []
    for (let slot = this.#nodes.find(id); slot >= 0; slot = this.#nodes.find(id, slot)) {
      const at = this.#nodes.valueAt(slot) * PLACE_WORDS
      const pack = this.packs[this.#nodePlaces[at] ?? -1]
      if (pack === undefined) continue
      const offset = this.#nodePlaces[at + 1] ?? 0
      const storedSize = this.#nodePlaces[at + 2] ?? 0
      const location = { packId: pack.id, offset, storedSize, kind: EntryKind.Node, encoding: 0 } as const
      places.push({ pack, location })
    }
    return places.toSorted((a, b) => Number(a.pack.damage !== null) - Number(b.pack.damage !== null))
  }

  #addEntry(id: Uint8Array, entry: ReturnType<typeof readSegmentEntry>): void {
    if (entry.kind === EntryKind.Chunk) {
      this.chunks.add(id, entry.pack)
      return
    }
    this.#nodes.add(id, this.nodeCount)
    this.#nodePlaces.push(entry.pack, entry.offset, entry.storedSize)
  }
}

function takeSum(pack: PackState, found: PackSum | undefined): void {
  if (found === undefined) return
  if (pack.isNamed) {
    pack.isDisputed ||= pack.entryCount !== found.count || pack.entrySum !== found.sum
    return
  }
  pack.isNamed = true
  pack.entryCount = found.count
  pack.entrySum = found.sum
  pack.entriesEnd = found.end
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
