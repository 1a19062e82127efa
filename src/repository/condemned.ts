import { BackupError, ErrorCode, isBackupError } from '../domain/backup-error.ts'
import { Magic } from './magic.ts'
import { CONDEMNED_PREFIX, objectIdOf } from './object-names.ts'
import { fileIdOf, openFile, sealFile, type SealingContext } from './sealed-file.ts'
import { listAll, type Store } from './store.ts'

/**
 * Packs that nothing new may refer to, because they are damaged or will be removed. The body is the pack ids,
 * 32 bytes each. A writer that finds a chunk only in condemned packs stores it again, which heals it.
 */
const CONDEMNED_SIZE_MAX = 64 * 1024 * 1024

/**
 * The ids of all condemned packs. A list that is damaged condemns nothing and is left to `check`; a store that
 * fails throws, for what it keeps back may be what must not be referred to.
 */
export async function readCondemned(store: Store, sealing: SealingContext): Promise<Set<string>> {
  const { packIds, damaged } = await readCondemnedLists(store, sealing)
  for (const { error } of damaged) if (error instanceof BackupError) throw error
  return packIds
}

type DamagedList = { readonly name: string; readonly reason: string; readonly error: unknown }

export type CondemnedLists = {
  readonly packIds: Set<string>
  readonly listCount: number
  readonly damaged: readonly DamagedList[]
}

/** As `readCondemned`, and says which lists cannot be read. */
export async function readCondemnedLists(store: Store, sealing: SealingContext): Promise<CondemnedLists> {
  const packIds = new Set<string>()
  const damaged: DamagedList[] = []
  const names = (await listAll(store, CONDEMNED_PREFIX)).filter((name) => objectIdOf(name) !== null)
  for (const name of names) {
    const found = await readOne({ store, sealing, name, id: objectIdOf(name) ?? '' })
    if (found instanceof Error) damaged.push({ name, reason: found.message, error: found })
    else for (const packId of found) packIds.add(packId)
  }
  return { packIds, listCount: names.length, damaged }
}

/** Fences packs off; returns when that is durable. */
export async function condemnPacks(
  store: Store,
  sealing: SealingContext,
  condemned: { packIds: readonly string[]; salt: Uint8Array },
): Promise<void> {
  const body = Buffer.from(condemned.packIds.join(''), 'hex')
  const bytes = sealFile(sealing, { magic: Magic.Condemned, salt: condemned.salt, body })
  await store.put(`${CONDEMNED_PREFIX}${fileIdOf(bytes)}`, bytes)
  await store.flush()
}

/** The packs of one list, or why it cannot be read. */
async function readOne(from: {
  store: Store
  sealing: SealingContext
  name: string
  id: string
}): Promise<string[] | Error> {
  try {
    const bytes = await from.store.get(from.name, CONDEMNED_SIZE_MAX)
    const body = openFile(from.sealing, { magic: Magic.Condemned, id: from.id, bytes })
    return Array.from({ length: Math.floor(body.byteLength / 32) }, (_, index) =>
      body.subarray(index * 32, index * 32 + 32).toHex(),
    )
  } catch (error) {
    if (isBackupError(error, ErrorCode.StoreObjectMissing)) return [] // Withdrawn since it was listed.
    if (error instanceof BackupError || error instanceof SyntaxError) return error
    throw error
  }
}
