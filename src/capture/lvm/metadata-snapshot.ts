import { setTimeout as sleep } from 'node:timers/promises'
import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import { UnmappedError } from '../../formats/format-error.ts'
import type { LvmTools } from './lvm-tools.ts'

/** An active thin pool, by the names that LVM gives it. */
export type PoolName = { readonly groupName: string; readonly groupUuid: string; readonly poolName: string }

/** A command of LVM that changes the pool takes a second or two. */
const TRIES = 40
const RETRY_MS = 250

/**
 * Runs `read` while the pool holds a snapshot of its metadata. A pool has room for one: processes of this host take
 * turns, and one that was left behind, by a process that was killed, is released. When LVM is just changing the pool,
 * and its text and the pool's metadata are of different transactions, it is read again with a new one.
 */
export async function withMetadataSnapshot<T>(
  tools: LvmTools,
  pool: PoolName,
  how: { readonly read: () => Promise<T>; readonly signal: AbortSignal },
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await withOneSnapshot(tools, pool, how)
    } catch (error) {
      if (attempt >= TRIES || !isBetweenTransactions(error)) throw error
    }
    await sleep(RETRY_MS, undefined, { signal: how.signal })
  }
}

async function withOneSnapshot<T>(
  tools: LvmTools,
  pool: PoolName,
  { read, signal }: { readonly read: () => Promise<T>; readonly signal: AbortSignal },
): Promise<T> {
  await using _turn = await tools.lock(`pool-${pool.groupUuid}-${pool.poolName}`, signal)
  const status = await tools.poolStatus(pool, signal)
  requireWorking(pool, status)
  if (status.hasMetadataSnapshot) await tools.poolMessage(pool, 'release_metadata_snap', signal)
  await tools.poolMessage(pool, 'reserve_metadata_snap', signal)
  try {
    return await read()
  } finally {
    // Also when the run is cancelled: what is reserved costs the pool space.
    await tools.poolMessage(pool, 'release_metadata_snap', new AbortController().signal)
  }
}

function isBetweenTransactions(error: unknown): boolean {
  const cause = error instanceof BackupError ? error.cause : error
  return cause instanceof UnmappedError && cause.what === 'thin pool of another transaction'
}

/** Throws IMAGE_LOST for a pool that no longer takes writes: what its snapshots show is in doubt. */
export function requireWorking(pool: PoolName, status: { readonly trouble: string | null }): void {
  if (status.trouble === null) return
  const message = `Cannot use thin pool "${pool.groupName}/${pool.poolName}": device-mapper says ${status.trouble}, required is a pool that can be read and written`
  throw new BackupError(ErrorCode.ImageLost, message, { data: { pool: pool.poolName } })
}
