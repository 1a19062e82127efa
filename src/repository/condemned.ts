import { BackupError } from '../domain/backup-error.ts'
import { Magic } from './magic.ts'
import { CONDEMNED_PREFIX, objectIdOf } from './object-names.ts'
import { fileIdOf, openFile, sealFile, type SealingContext } from './sealed-file.ts'
import { listAll, type Store } from './store.ts'

/**
 * Packs that nothing new may refer to, because they are damaged or will be removed. The body is the pack ids,
 * 32 bytes each. A writer that finds a chunk only in condemned packs stores it again, which heals it.
 */
const CONDEMNED_SIZE_MAX = 64 * 1024 * 1024

/** The ids of all condemned packs. A list that cannot be read condemns nothing and is left to `check`. */
export async function readCondemned(store: Store, sealing: SealingContext): Promise<Set<string>> {
  return (await readCondemnedLists(store, sealing)).packIds
}

export type CondemnedLists = {
  readonly packIds: Set<string>
  readonly listCount: number
  readonly damaged: readonly { readonly name: string; readonly reason: string }[]
}

/** As `readCondemned`, and says which lists cannot be read. */
export async function readCondemnedLists(store: Store, sealing: SealingContext): Promise<CondemnedLists> {
  const packIds = new Set<string>()
  const damaged: { name: string; reason: string }[] = []
  const names = (await listAll(store, CONDEMNED_PREFIX)).filter((name) => objectIdOf(name) !== null)
  for (const name of names) {
    const found = await readOne({ store, sealing, name, id: objectIdOf(name) ?? '' })
    if (typeof found === 'string') damaged.push({ name, reason: found })
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
}): Promise<string[] | string> {
  try {
    const bytes = await from.store.get(from.name, CONDEMNED_SIZE_MAX)
    const body = openFile(from.sealing, { magic: Magic.Condemned, id: from.id, bytes })
    return Array.from({ length: Math.floor(body.byteLength / 32) }, (_, index) =>
      body.subarray(index * 32, index * 32 + 32).toHex(),
    )
  } catch (error) {
    if (error instanceof BackupError || error instanceof SyntaxError) return error.message
    throw error
  }
}
