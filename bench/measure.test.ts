import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseUsage } from './measure.ts'

test('parseUsage() takes seconds and KiB from the last line', () => {
  assert.deepEqual(parseUsage('Command exited with non-zero status 3\n1.25 0.50 2048\n'), {
    cpuMs: 1750,
    peakMemoryBytes: 2 * 2 ** 20,
  })
})

test('parseUsage() refuses what is not such a line', () => {
  assert.throws(() => parseUsage(''), SyntaxError)
  assert.throws(() => parseUsage('a b c'), SyntaxError)
})
