import type { PackContents } from '../index-segment.ts'
import {
  encodeIndexSegment,
  parseIndexSegment,
  SEGMENT_ENTRY_SIZE,
  type IndexSegment,
} from '../index-segment.ts'
import { listIds, readSegment, type IndexDamage } from '../load-index.ts'
import { INDEX_PREFIX, objectIdOf, packName, PACKS_PREFIX } from '../object-names.ts'
import type { Repository } from '../repository.ts'
import { listAll } from '../store.ts'
import { listWriters } from '../writers.ts'
import { CheckIndex, type PackState } from './check-index.ts'
import { damageOf } from './unreadable.ts'

/** This many sizes are asked for at a time. */
const SIZES_MAX = 32

/** The index and the packs, as they were found at one time. */
export type FoundIndex = {
  readonly index: CheckIndex
  readonly segmentIds: readonly string[]
  readonly damagedSegments: readonly IndexDamage[]
  /** Packs that no segment names, as one segment made from their own directories. */
  readonly unindexed: IndexSegment
  /** Packs that no segment names and whose own directory cannot be read: pack and reason. */
  readonly unreadable: readonly { readonly pack: PackState; readonly reason: string }[]
  /** Packs that no segment names, while every segment is sound: what a run that was killed left. */
  readonly leftOver: ReadonlySet<string>
  /** How many writers are at work, or were killed. */
  readonly writerCount: number
  /** Packs that no segment names, unless a damaged segment, or a writer that is at work or was killed, explains them. */
  readonly unexplainedCount: number
  /** Files among the packs that are none. */
  readonly foreignNames: readonly string[]
}

/**
 * Reads every segment and lists every pack, in this order: a pack that a segment names was there before it.
 * Nothing is taken from the copy on this machine.
 */
export async function readCheckIndex(repository: Repository, signal: AbortSignal): Promise<FoundIndex> {
  const { store, sealing } = repository
  const writersBefore = await listWriters(store)
  const segmentIds = [...(await listIds(store, INDEX_PREFIX))]
  const index = new CheckIndex(await entryCountMax(repository, segmentIds))
  const damagedSegments: IndexDamage[] = []
  for (const id of segmentIds) {
    signal.throwIfAborted()
    const segment = await readSegment({ store, sealing, id })
    if ('reason' in segment) damagedSegments.push(segment)
    else index.addSegment(segment)
  }
  const foreignNames = await addStoredPacks(repository, index)
  const unnamed = await withoutNewOnes(repository, { index, segmentIds })
  const { contents, unreadable } = await readUnnamed(repository, unnamed)
  const unindexed = parseIndexSegment(encodeIndexSegment(contents))
  index.addSegment(unindexed)
  const writersAfter = await listWriters(store)
  const writerCount = new Set([...writersBefore, ...writersAfter].map((writer) => writer.id)).size
  const isExplained = writerCount > 0 || damagedSegments.length > 0
  const unexplainedCount = isExplained ? 0 : contents.length
  const leftOver = new Set(damagedSegments.length > 0 ? [] : unnamed.map((pack) => pack.id))
  return {
    index,
    segmentIds,
    damagedSegments,
    unindexed,
    unreadable,
    leftOver,
    writerCount,
    unexplainedCount,
    foreignNames,
  }
}

/** From the sizes of the segments: the table is made once, as large as it will be. */
async function entryCountMax(repository: Repository, segmentIds: readonly string[]): Promise<number> {
  let bytes = 0
  for (const id of segmentIds) bytes += (await repository.store.sizeOf(`${INDEX_PREFIX}${id}`)) ?? 0
  return Math.ceil(bytes / SEGMENT_ENTRY_SIZE)
}

/** Takes in the packs that are there, with their sizes; returns the names that no pack can have. */
async function addStoredPacks(repository: Repository, index: CheckIndex): Promise<string[]> {
  const foreign: string[] = []
  const present: PackState[] = []
  for (const name of await listAll(repository.store, PACKS_PREFIX)) {
    const id = objectIdOf(name)
    if (id === null || packName(id) !== name) foreign.push(name)
    else present.push(index.addPack(id))
  }
  for (let at = 0; at < present.length; at += SIZES_MAX) {
    await Promise.all(
      present.slice(at, at + SIZES_MAX).map(async (pack) => {
        pack.sizeBytes = await repository.store.sizeOf(packName(pack.id))
      }),
    )
  }
  return foreign
}

/** The packs that no segment names, without those whose segment was written since the segments were listed. */
async function withoutNewOnes(
  repository: Repository,
  found: { index: CheckIndex; segmentIds: readonly string[] },
): Promise<PackState[]> {
  const unnamed = found.index.packs.filter((pack) => !pack.isNamed)
  if (unnamed.length === 0) return []
  const { store, sealing } = repository
  const known = new Set(found.segmentIds)
  const named = new Set<string>()
  for (const id of await listIds(store, INDEX_PREFIX)) {
    if (known.has(id)) continue
    const segment = await readSegment({ store, sealing, id })
    if (!('reason' in segment)) for (const packId of segment.packIds) named.add(packId)
  }
  return unnamed.filter((pack) => !named.has(pack.id))
}

async function readUnnamed(
  repository: Repository,
  packs: readonly PackState[],
): Promise<{ contents: PackContents[]; unreadable: { pack: PackState; reason: string }[] }> {
  const contents: PackContents[] = []
  const unreadable: { pack: PackState; reason: string }[] = []
  for (const pack of packs) {
    try {
      contents.push(await repository.packs.readContents(pack.id))
    } catch (error) {
      unreadable.push({ pack, reason: damageOf(error) })
    }
  }
  return { contents, unreadable }
}
