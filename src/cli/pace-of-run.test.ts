import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../domain/clock.ts'
import { parseHours, parseRate } from './option-values.ts'
import { msUntil, sleepUntilAborted } from './pace-of-run.ts'

const MINUTE_MS = 60_000

function minutesUntil(hours: string, at: string): number {
  const date = systemClock.now()
  const [hour = 0, minute = 0] = at.split(':').map(Number)
  date.setHours(hour, minute, 0, 0)
  return msUntil(parseHours(hours), date) / MINUTE_MS
}

test('msUntil() knows hours that go over midnight, and those that do not', () => {
  assert.deepEqual(
    ['21:59', '22:00', '23:30', '05:59', '06:00', '12:00'].map((at) => minutesUntil('22:00-06:00', at)),
    [1, 0, 0, 0, 16 * 60, 10 * 60],
  )
  assert.deepEqual(
    ['00:00', '08:59', '9:00', '16:59', '17:00'].map((at) => minutesUntil('09:00-17:00', at)),
    [9 * 60, 1, 0, 0, 16 * 60],
  )
  assert.equal(minutesUntil('20:00-24:00', '23:59'), 0)
})

test('parseHours() and parseRate() refuse what is none', () => {
  for (const text of ['22-06', '22:00-22:00', '25:00-06:00', '22:60-06:00', '22:00-24:01', ''])
    assert.throws(() => parseHours(text), SyntaxError, text)
  assert.equal(parseRate('100MiB/s'), 100 * 1024 * 1024)
  assert.equal(parseRate('64KiB'), 64 * 1024)
  for (const text of ['1/s', 'fast', '10KiB/s']) assert.throws(() => parseRate(text), SyntaxError, text)
})

test('sleepUntilAborted() says why it ends early', async () => {
  const reason = new Error('The image is lost')
  const control = new AbortController()
  const sleeping = sleepUntilAborted(60_000, control.signal)
  control.abort(reason)
  await assert.rejects(sleeping, reason)
})
