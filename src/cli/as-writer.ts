import { hostname } from 'node:os'
import type { Clock } from '../domain/clock.ts'
import { isKnownDead, ownProcessIdentity } from '../linux/process-identity.ts'
import { listWriters, putWriter, removeWriter } from '../repository/writers.ts'
import type { DirectoryStore } from '../stores/directory/directory-store.ts'

/**
 * Signs a writer in, clears away what dead writers of this host left, and does the work. Who signs off is the
 * work itself, when everything that it stored is named by the index.
 */
export async function asWriter<T>(
  store: DirectoryStore,
  writer: { readonly writerId: string; readonly clock: Clock },
  work: () => Promise<T>,
): Promise<T> {
  const dead = (await listWriters(store)).filter(
    (record) => record.host === hostname() && isKnownDead(record),
  )
  const startedAt = writer.clock.now().toISOString()
  await putWriter(store, { id: writer.writerId, ...ownProcessIdentity(), startedAt })
  const result = await work()
  // Their packs have their index by now: this run took them in.
  for (const record of dead) {
    await removeWriter(store, record.id)
    await store.removeTemporariesOf(record.id)
  }
  return result
}
