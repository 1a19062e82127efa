import { BackupError } from '../domain/backup-error.ts'
import { readCondemned } from './condemned.ts'
import {
  encodeIndexSegment,
  parseIndexSegment,
  SEGMENT_SIZE_MAX,
  type IndexSegment,
  type PackContents,
} from './index-segment.ts'
import { Magic } from './magic.ts'
import { INDEX_PREFIX, objectIdOf, PACKS_PREFIX } from './object-names.ts'
import type { PackReader } from './pack-reader.ts'
import { fileIdOf, openFile, type SealingContext } from './sealed-file.ts'
import { listAll, type Store } from './store.ts'

/** What this needs of the index on the local machine. */
export type LocalIndexPort = {
  sources(): Set<string>
  packIds(): Set<string>
  add(id: string, segment: IndexSegment): void
  compact(): void
}

export type IndexDamage = { readonly name: string; readonly reason: string }

export type LoadedIndex<Local extends LocalIndexPort> = {
  readonly local: Local
  /** Segments that could not be read; what they said was read from the packs instead. */
  readonly damagedSegments: readonly IndexDamage[]
  /** Packs that no sound segment names: those of a run that was killed, or whose segment is lost. */
  readonly unindexed: readonly PackContents[]
  /** Such packs whose own directory cannot be read either. */
  readonly unreadablePacks: readonly IndexDamage[]
  /** Packs that nothing new may refer to: those fenced off, and those that the index names and the store lacks. */
  readonly condemned: ReadonlySet<string>
  /** All packs of the store. */
  readonly packIds: ReadonlySet<string>
}

export type LoadIndexOptions<Local extends LocalIndexPort> = {
  readonly store: Store
  readonly sealing: SealingContext
  readonly packs: PackReader
  /** Opens what the local machine has of these segments. */
  readonly openLocal: (segments: ReadonlySet<string>) => Local
}

/**
 * Brings the local index up to date with the repository. The packs themselves have the last word: one that no
 * segment names is read through its own directory, so that a lost or damaged segment costs time and no data.
 */
export async function loadIndex<Local extends LocalIndexPort>(
  options: LoadIndexOptions<Local>,
): Promise<LoadedIndex<Local>> {
  const { store, sealing, packs } = options
  const segments = await listIds(store, INDEX_PREFIX)
  const local = options.openLocal(segments)
  const have = local.sources()
  const damagedSegments: IndexDamage[] = []
  for (const id of segments) {
    if (have.has(id)) continue
    const segment = await readSegment({ store, sealing, id })
    if ('reason' in segment) damagedSegments.push(segment)
    else local.add(id, segment)
    local.compact()
  }
  const packIds = await listIds(store, PACKS_PREFIX)
  const indexed = local.packIds()
  const unindexed: PackContents[] = []
  const unreadablePacks: IndexDamage[] = []
  for (const packId of packIds) {
    if (indexed.has(packId)) continue
    const contents = await readContents(packs, packId)
    if ('reason' in contents) unreadablePacks.push(contents)
    else unindexed.push(contents)
  }
  addUnindexed(local, unindexed)
  const condemned = await readCondemned(store, sealing)
  for (const packId of indexed) if (!packIds.has(packId)) condemned.add(packId)
  return { local, damagedSegments, unindexed, unreadablePacks, condemned, packIds }
}

/** All object ids below a prefix. */
export async function listIds(store: Store, prefix: string): Promise<Set<string>> {
  const ids = (await listAll(store, prefix)).map(objectIdOf)
  return new Set(ids.filter((id) => id !== null))
}

/** Reads one segment; says why when it cannot be used. */
export async function readSegment(from: {
  store: Store
  sealing: SealingContext
  id: string
}): Promise<IndexSegment | IndexDamage> {
  const name = `${INDEX_PREFIX}${from.id}`
  try {
    const bytes = await from.store.get(name, SEGMENT_SIZE_MAX)
    return parseIndexSegment(openFile(from.sealing, { magic: Magic.IndexSegment, id: from.id, bytes }))
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof BackupError) return { name, reason: error.message }
    throw error
  }
}

async function readContents(packs: PackReader, packId: string): Promise<PackContents | IndexDamage> {
  try {
    return await packs.readContents(packId)
  } catch (error) {
    if (error instanceof BackupError) return { name: `packs/${packId}`, reason: error.message }
    throw error
  }
}

function addUnindexed(local: LocalIndexPort, unindexed: readonly PackContents[]): void {
  if (unindexed.length === 0) return
  const body = encodeIndexSegment(unindexed)
  local.add(fileIdOf(body), parseIndexSegment(body))
}
