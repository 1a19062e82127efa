import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import type { LvmTools } from './lvm-tools.ts'
import { requireWorking, type PoolName } from './metadata-snapshot.ts'
import { fullPart } from './pool-budget.ts'
import { watchHeld, type HeldWatch } from './watch-held.ts'

/**
 * Watches the pools of snapshots while a run reads them. Before a pool is full and its volumes can no longer be written,
 * the snapshots are removed and the run ends: production is never what fails.
 */
export function watchPools(
  tools: Pick<LvmTools, 'poolStatus'>,
  pools: readonly PoolName[],
  how: { readonly removeSnapshots: () => Promise<void>; readonly intervalMs?: number },
): HeldWatch {
  return watchHeld({
    ...how,
    look: async (signal) => {
      for (const pool of pools) {
        const status = await tools.poolStatus(pool, signal)
        requireWorking(pool, status)
        const full = fullPart(status)
        if (full !== null) throw givenUp(pool, full)
      }
    },
    giveUp: how.removeSnapshots,
  })
}

function givenUp(
  { groupName, poolName }: PoolName,
  {
    what,
    usedShare,
    fullShare,
  }: { readonly what: string; readonly usedShare: number; readonly fullShare: number },
): BackupError {
  const message =
    `Cannot go on reading snapshots in thin pool "${groupName}/${poolName}": its ${what} is ${percent(usedShare)} full, ` +
    `from ${percent(fullShare)} on its volumes come first; the snapshots of this run were removed, required is a larger pool`
  return new BackupError(ErrorCode.ImageLost, message, { data: { pool: poolName, what, usedShare } })
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}
