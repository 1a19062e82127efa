import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { BackupError, ErrorCode, isBackupError } from '../../domain/backup-error.ts'
import { systemClock } from '../../domain/clock.ts'
import { holdLease, LEASE_SECONDS } from './hold-lease.ts'

/** Time that passes only while somebody sleeps. */
function slowTime(): {
  clock: typeof systemClock
  sleep: (ms: number, signal: AbortSignal) => Promise<void>
} {
  let passedMs = 0
  const startMs = systemClock.now().getTime()
  return {
    clock: {
      now: () => {
        const now = systemClock.now()
        now.setTime(startMs + passedMs)
        return now
      },
    },
    sleep: async (ms, signal) => {
      await new Promise(setImmediate)
      signal.throwIfAborted()
      passedMs += ms
    },
  }
}

const unreachable = (): Promise<never> =>
  Promise.reject(new BackupError(ErrorCode.ConnectionFailed, 'Cannot reach agent "db1": nobody is there'))

const forgotten = (): Promise<never> => Promise.reject(new BackupError(ErrorCode.ImageLost, 'it is gone'))

async function reasonOf(lost: AbortSignal): Promise<unknown> {
  if (!lost.aborted) await once(lost, 'abort')
  return lost.reason
}

test('holdLease() outlives a network that is gone for less than a lease', async () => {
  let count = 0
  const done = Promise.withResolvers<void>()
  const renew = async (): Promise<void> => {
    count += 1
    if (count > 3 && count < 20) await unreachable()
    if (count === 25) done.resolve()
  }
  await using lease = holdLease({ renew }, { groupId: 'g', host: 'db1', ...slowTime() })
  await done.promise
  assert.equal(lease.lost.aborted, false)
})

test('holdLease() says that the images are lost when nobody answered for a whole lease', async () => {
  await using lease = holdLease({ renew: unreachable }, { groupId: 'g', host: 'db1', ...slowTime() })
  const reason = await reasonOf(lease.lost)
  assert.ok(isBackupError(reason, ErrorCode.ConnectionFailed))
  assert.match(reason.message, new RegExp(`agent "db1" has let go .* not reached for ${LEASE_SECONDS} s`))
})

test('holdLease() takes the word of an agent that holds nothing any more', async () => {
  await using lease = holdLease({ renew: forgotten }, { groupId: 'g', host: 'db1', ...slowTime() })
  assert.ok(isBackupError(await reasonOf(lease.lost), ErrorCode.ImageLost))
})
