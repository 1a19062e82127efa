import assert from 'node:assert/strict'
import test from 'node:test'
import { formatLocalTime } from './local-time.ts'

test('formatLocalTime() shows minutes of the time zone, over midnight and in summer too', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['2026-11-22T23:51:59.999Z', 'UTC', '2026-11-22 23:51'],
    ['2026-11-22T23:51:59.999Z', 'Europe/Vienna', '2026-11-23 00:51'],
    ['2026-07-01T23:51:00Z', 'Europe/Vienna', '2026-07-02 01:51'],
    ['2026-07-01T00:10:00Z', 'America/New_York', '2026-06-30 20:10'],
  ]
  for (const [instant, zone, text] of cases) assert.equal(formatLocalTime(instant, zone), text)
})
