import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../domain/clock.ts'
import { Pace, type PaceParts } from './pace.ts'

const { signal } = new AbortController()

/** A day that passes only while somebody sleeps. */
function paceOf(odds: Partial<PaceParts>): {
  readonly pace: Pace
  readonly now: () => number
  readonly notices: string[]
  readonly pass: (ms: number) => void
} {
  const notices: string[] = []
  const today = systemClock.now()
  today.setHours(12, 0, 0, 0)
  const startMs = today.getTime()
  let nowMs = startMs
  const pace = new Pace({
    clock: {
      now: () => {
        const date = systemClock.now()
        date.setTime(nowMs)
        return date
      },
    },
    sleep: (ms, now) => {
      now.throwIfAborted()
      nowMs += ms
      return Promise.resolve()
    },
    rateBytes: null,
    waitMsAt: null,
    latency: null,
    notice: (message) => notices.push(message),
    ...odds,
  })
  const pass = (ms: number): void => {
    nowMs += ms
  }
  return { pace, now: () => nowMs - startMs, notices, pass }
}

test('Pace keeps to a rate, from the first byte on', async () => {
  const { pace, now } = paceOf({ rateBytes: 1000 })
  for (let count = 0; count < 5; count += 1) (await pace.enter(500, signal))[Symbol.dispose]()
  assert.equal(now(), 2000)
  assert.deepEqual(pace.record().rateBytes, 1000)
  assert.equal(pace.record().waitedMs, 2000)
})

test('Pace waits for the hours, and says so once', async () => {
  const hour = 3_600_000
  const { pace, now, notices } = paceOf({ waitMsAt: (date) => (date.getHours() < 14 ? hour : 0) })
  const turn = await pace.enter(1, signal)
  turn[Symbol.dispose]()
  assert.equal(now(), 2 * hour)
  assert.equal(notices.length, 1)
})

test('Pace reads less and less while the disks are slow, and goes on when they are not', async () => {
  const latencies = [...Array.from({ length: 9 }, () => 30), ...Array.from({ length: 12 }, () => 1)]
  let asked = 0
  const measure = (): Promise<number | null> => Promise.resolve(latencies[asked++] ?? null)
  const { pace, now, notices, pass } = paceOf({ latency: { maxMs: 10, measure } })
  const paused: number[] = []
  while (asked < latencies.length) {
    const before = now()
    ;(await pace.enter(4000, signal))[Symbol.dispose]()
    await new Promise(setImmediate)
    paused.push(now() - before)
    pass(4000)
  }
  assert.deepEqual(
    paused.filter((ms) => ms > 0),
    [250, 500, 1000, 500, 250],
  )
  assert.deepEqual([pace.record().slowdownCount, pace.record().latencySeenMs], [9, 30])
  assert.equal(notices.length, 1)
  assert.equal(paused.at(-1), 0)
})

test('Pace lets nobody wait who is cancelled', async () => {
  const cancel = new AbortController()
  const { pace } = paceOf({})
  const held = []
  for (let count = 0; count < 64; count += 1) held.push(await pace.enter(0, signal))
  const waiting = pace.enter(0, cancel.signal)
  cancel.abort(new Error('no more'))
  await assert.rejects(waiting, /no more/)
  held[0]?.[Symbol.dispose]()
  held[0]?.[Symbol.dispose]()
  assert.ok(pace.record().waitedMs >= 0)
})
