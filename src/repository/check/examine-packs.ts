import { readSegmentEntry, SEGMENT_ENTRY_SIZE, type IndexSegment } from '../index-segment.ts'
import { readSegment } from '../load-index.ts'
import { EntryKind } from '../pack-format.ts'
import type { Repository } from '../repository.ts'
import { NODE_SIZE_MAX } from '../tree-node.ts'
import type { PackState } from './check-index.ts'
import type { FoundIndex } from './read-check-index.ts'
import { damageOf } from './unreadable.ts'

/**
 * Finds out what of damaged packs can still be read, the way a restore reads: by the index, each entry by itself.
 * Notes what cannot. Costs nothing when no pack is damaged.
 */
export async function examinePacks(
  repository: Repository,
  found: FoundIndex,
  signal: AbortSignal,
): Promise<void> {
  const { index, segmentIds, unindexed } = found
  const damaged = index.packs.filter((pack) => pack.damage !== null)
  for (const pack of damaged)
    if (pack.sizeBytes === null && pack.damage) pack.damage.lostCount += pack.entryCount
  const pending = new Set(damaged.filter((pack) => pack.sizeBytes !== null).map((pack) => pack.id))
  if (pending.size === 0) return
  const examiner = new Examiner(repository, found)
  for (const id of segmentIds) {
    const segment = await readSegment({ store: repository.store, sealing: repository.sealing, id })
    if (!('reason' in segment)) await examiner.examine(segment, pending, signal)
  }
  await examiner.examine(unindexed, pending, signal)
}

class Examiner {
  readonly #repository: Repository
  readonly #index: FoundIndex['index']
  readonly #chunk: Uint8Array

  constructor(repository: Repository, found: FoundIndex) {
    this.#repository = repository
    this.#index = found.index
    this.#chunk = new Uint8Array(repository.config.chunkSizeBytes)
  }

  /** Takes the packs that the segment names out of `pending`. */
  async examine(segment: IndexSegment, pending: Set<string>, signal: AbortSignal): Promise<void> {
    const packs = segment.packIds.map((id) => (pending.has(id) ? this.#index.pack(id) : undefined))
    if (packs.every((pack) => pack === undefined)) return
    const { entries } = segment
    const view = new DataView(entries.buffer, entries.byteOffset, entries.byteLength)
    for (let at = 0; at < entries.byteLength; at += SEGMENT_ENTRY_SIZE) {
      signal.throwIfAborted()
      const entry = readSegmentEntry(view, at)
      const pack = packs[entry.pack]
      if (pack === undefined) continue
      const id = entries.subarray(at, at + 32)
      if (await this.#isReadable(id, { ...entry, packId: pack.id })) continue
      this.#note(id, pack)
    }
    for (const id of segment.packIds) pending.delete(id)
  }

  #note(id: Uint8Array, pack: PackState): void {
    this.#index.lostEntries.add(id, pack.number)
    if (pack.damage !== null) pack.damage.lostCount += 1
  }

  async #isReadable(
    id: Uint8Array,
    location: ReturnType<typeof readSegmentEntry> & { readonly packId: string },
  ): Promise<boolean> {
    const { packs, config } = this.#repository
    try {
      if (location.storedSize > 2 * Math.max(config.chunkSizeBytes, NODE_SIZE_MAX)) return false
      if (location.kind === EntryKind.Node) {
        await packs.readNode(id, location)
        return true
      }
      const stored = await packs.readStored(location)
      packs.openInto({ id, place: location, key: await packs.keyOf(location.packId), stored }, this.#chunk)
      return true
    } catch (error) {
      damageOf(error)
      return false
    }
  }
}
