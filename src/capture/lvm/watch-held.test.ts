import assert from 'node:assert/strict'
import { test } from 'node:test'
import { untilAborted } from '../../../test/support/until-aborted.ts'
import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import type { PoolStatus } from '../../domain/logical-volume.ts'
import { expectedChangeBytes } from './observed-change.ts'
import { watchPools } from './pool-watch.ts'
import { watchHeld } from './watch-held.ts'

const HOUR_MS = 3_600_000
const pool = { groupName: 'vg0', groupUuid: 'uuid', poolName: 'pool' }

function statusOf(used: number): PoolStatus {
  return {
    transactionId: 1,
    metadataUsedBlocks: 10,
    metadataTotalBlocks: 1000,
    dataUsedBlocks: used,
    dataTotalBlocks: 100,
    dataSizeBytes: 6_553_600,
    hasMetadataSnapshot: false,
    trouble: null,
  }
}

function neverCalled(): Promise<void> {
  assert.fail('nothing is lost')
}

test('watchPools() removes the snapshots of a pool that is about to be full, and then tells why', async () => {
  const used = [50, 94, 95, 96]
  const done: string[] = []
  const tools = { poolStatus: () => Promise.resolve(statusOf(used.shift() ?? 100)) }
  await using watch = watchPools(tools, [pool], {
    removeSnapshots: () => Promise.resolve(void done.push('removed')),
    intervalMs: 1,
  })
  await untilAborted(watch.lost)
  assert.deepEqual(done, ['removed'])
  assert.deepEqual(used, [96], 'it stops looking')
  assert.throws(() => watch.lost.throwIfAborted(), {
    code: ErrorCode.ImageLost,
    message: /"vg0\/pool": its data is 95\.0 % full, from 95\.0 % on/,
  })
})

test('watchHeld() goes on when nobody can be asked, and stops when it is disposed of', async () => {
  let count = 0
  const seen = Promise.withResolvers<void>()
  const look = (): Promise<void> => {
    count += 1
    if (count === 3) seen.resolve()
    return Promise.reject(new BackupError(ErrorCode.SourceUnreadable, 'dmsetup failed'))
  }
  const watch = watchHeld({ look, giveUp: neverCalled, intervalMs: 1 })
  await seen.promise
  await watch[Symbol.asyncDispose]()
  assert.equal(watch.lost.aborted, false)
  const after = count
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal(count, after)
})

test('expectedChangeBytes() is what an hour writes, and never more than was seen', () => {
  assert.equal(expectedChangeBytes({ bytes: 24_000, sinceMs: 24 * HOUR_MS }), 1000)
  assert.equal(expectedChangeBytes({ bytes: 24_000, sinceMs: HOUR_MS / 60 }), 24_000)
  assert.equal(expectedChangeBytes({ bytes: 0, sinceMs: 0 }), 0)
})
