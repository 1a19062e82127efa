import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import type { LvmTools } from './lvm-tools.ts'

/** An active thin pool, by the names that LVM gives it. */
export type PoolName = { readonly groupName: string; readonly groupUuid: string; readonly poolName: string }

/**
 * Runs `read` while the pool holds a snapshot of its metadata. A pool has room for one: processes of this host take
 * turns, and one that was left behind, by a process that was killed, is released.
 */
export async function withMetadataSnapshot<T>(
  tools: LvmTools,
  pool: PoolName,
  how: { readonly read: () => Promise<T>; readonly signal: AbortSignal },
): Promise<T> {
  const { read, signal } = how
  await using _turn = await tools.lock(`pool-${pool.groupUuid}-${pool.poolName}`, signal)
  const status = await tools.poolStatus(pool, signal)
  requireWorking(pool, status)
  if (status.hasMetadataSnapshot) {
    await tools.poolMessage(pool, 'release_metadata_snap', signal)
  }
  await tools.poolMessage(pool, 'reserve_metadata_snap', signal)
  try {
    return await read()
  } finally {
    // Also when the run is cancelled: what is reserved costs the pool space.
    await tools.poolMessage(pool, 'release_metadata_snap', new AbortController().signal)
  }
}

/** Throws IMAGE_LOST for a pool that no longer takes writes: what its snapshots show is in doubt. */
export function requireWorking(pool: PoolName, status: { readonly trouble: string | null }): void {
  if (status.trouble === null) return
  const message = `Cannot use thin pool "${pool.groupName}/${pool.poolName}": device-mapper says ${status.trouble}, required is a pool that can be read and written`
  throw new BackupError(ErrorCode.ImageLost, message, { data: { pool: pool.poolName } })
}
