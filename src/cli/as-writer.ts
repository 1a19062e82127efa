import { hostname } from 'node:os'
import type { Clock } from '../domain/clock.ts'
import { isKnownDead, ownProcessIdentity } from '../linux/process-identity.ts'
import { listWriters, putWriter, removeWriter } from '../repository/writers.ts'
import type { DirectoryStore } from '../stores/directory/directory-store.ts'

/**
 * Signs a writer in, clears away what dead writers of this host left, and does the work. The record stands before
 * the index is read, or a future prune could remove what this run decides to rely on. Once the work calls
 * `storing` it signs off itself, when everything that it stored is named by the index; until then there is
 * nothing to find, and a failure takes the record away again.
 */
export async function asWriter<T>(
  store: DirectoryStore,
  writer: { readonly writerId: string; readonly clock: Clock },
  work: (storing: () => void) => Promise<T>,
): Promise<T> {
  const dead = (await listWriters(store)).filter(
    (record) => record.host === hostname() && isKnownDead(record),
  )
  const startedAt = writer.clock.now().toISOString()
  await putWriter(store, { id: writer.writerId, ...ownProcessIdentity(), startedAt })
  const result = await signedIn(store, writer.writerId, work)
  // Their packs have their index by now: this run took them in. The record goes last: it is what names the rest.
  for (const record of dead) {
    await store.removeTemporariesOf(record.id)
    await removeWriter(store, record.id)
  }
  return result
}

async function signedIn<T>(
  store: DirectoryStore,
  writerId: string,
  work: (storing: () => void) => Promise<T>,
): Promise<T> {
  let isStoring = false
  try {
    return await work(() => {
      isStoring = true
    })
  } catch (error) {
    if (!isStoring) await removeWriter(store, writerId)
    throw error
  }
}
