import assert from 'node:assert/strict'
import { test } from 'node:test'
import { untilAborted } from '../../../test/support/until-aborted.ts'
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

const ABOUT = { groupId: 'g', leaseSeconds: LEASE_SECONDS, host: 'db1' }

const unreachable = (): Promise<never> =>
  Promise.reject(new BackupError(ErrorCode.ConnectionFailed, 'Cannot reach agent "db1": nobody is there'))

const forgotten = (): Promise<never> => Promise.reject(new BackupError(ErrorCode.ImageLost, 'it is gone'))

async function reasonOf(lost: AbortSignal): Promise<unknown> {
  await untilAborted(lost)
  return lost.reason
}

test('holdLease() outlives a network that is gone for less than a lease', async () => {
  let count = 0
  const done = Promise.withResolvers<void>()
  const renew = async (): Promise<number> => {
    count += 1
    if (count > 3 && count < 20) await unreachable()
    if (count === 25) done.resolve()
    return LEASE_SECONDS
  }
  await using lease = holdLease({ renew }, { ...ABOUT, ...slowTime() })
  await done.promise
  assert.equal(lease.lost.aborted, false)
})

test('holdLease() says that the images are lost when nobody answered for a whole lease', async () => {
  await using lease = holdLease({ renew: unreachable }, { ...ABOUT, ...slowTime() })
  const reason = await reasonOf(lease.lost)
  assert.ok(isBackupError(reason, ErrorCode.ConnectionFailed))
  assert.match(reason.message, new RegExp(`agent "db1" has let go .* not reached for ${LEASE_SECONDS} s`))
})

test('holdLease() takes the word of an agent that holds nothing any more', async () => {
  await using lease = holdLease({ renew: forgotten }, { ...ABOUT, ...slowTime() })
  assert.ok(isBackupError(await reasonOf(lease.lost), ErrorCode.ImageLost))
})

test('holdLease() renews as often as the lease needs that was granted', async () => {
  const { clock, sleep } = slowTime()
  const startMs = clock.now().getTime()
  const askedAtS: number[] = []
  const done = Promise.withResolvers<void>()
  const renew = async (): Promise<number> => {
    askedAtS.push((clock.now().getTime() - startMs) / 1000)
    if (askedAtS.length === 5) done.resolve()
    // Its configuration was read anew meanwhile.
    return await Promise.resolve(askedAtS.length < 3 ? 10 : 5)
  }
  await using _lease = holdLease({ renew }, { ...ABOUT, leaseSeconds: 10, clock, sleep })
  await done.promise
  assert.deepEqual(askedAtS.slice(0, 5), [2, 4, 6, 7, 8])
})

test('holdLease() does not wait for an agent that all other calls have given up', async () => {
  const time = slowTime()
  const startMs = time.clock.now().getTime()
  const message = 'Cannot reach agent "db1": nobody is there; it was tried again for 60 s'
  const renew = (): Promise<number> =>
    Promise.reject(new BackupError(ErrorCode.ConnectionFailed, message, { data: { isGivenUp: true } }))
  await using lease = holdLease({ renew }, { ...ABOUT, ...time })
  assert.match(String(await reasonOf(lease.lost)), /was tried again for 60 s$/)
  assert.equal(time.clock.now().getTime() - startMs, 30_000)
})
