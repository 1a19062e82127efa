import assert from 'node:assert/strict'
import test from 'node:test'
import { formatDuration } from './duration.ts'

test('formatDuration() uses two units at most and never shows 60 of a unit', () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, '0 ms'],
    [999.4, '999 ms'],
    [999.6, '1.0 s'],
    [3249, '3.2 s'],
    [9949, '9.9 s'],
    [9951, '10 s'],
    [59_499, '59 s'],
    [59_700, '1 min 00 s'],
    [125_000, '2 min 05 s'],
    [3_599_800, '1 h 00 min'],
    [4_320_000, '1 h 12 min'],
    [86_399_900, '1 d 0 h'],
    [273_600_000, '3 d 4 h'],
  ]
  for (const [milliseconds, text] of cases) assert.equal(formatDuration(milliseconds), text)
})
