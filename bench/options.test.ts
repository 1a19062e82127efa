import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseOptions } from './options.ts'
import { SCENARIOS } from './scenarios/scenarios.ts'

test('parseOptions() measures everything on 8 GiB three times unless told otherwise', () => {
  const options = parseOptions([], SCENARIOS)
  assert.equal(options.action, 'measure')
  assert.equal(options.sizeBytes, 8 * 2 ** 30)
  assert.equal(options.repeatCount, 3)
  assert.equal(options.scenarios, SCENARIOS)
})

test('parseOptions() keeps the order of the scenarios', () => {
  const options = parseOptions(['--only', 'restore,full'], SCENARIOS)
  assert.deepEqual(
    options.scenarios.map((scenario) => scenario.name),
    ['full', 'restore'],
  )
})

test('parseOptions() refuses what does not fit', () => {
  for (const words of [
    ['--only', 'nap'],
    ['--size', '1MiB'],
    ['--repeat', '0'],
    ['--seed', '../x'],
  ]) {
    assert.throws(() => parseOptions(words, SCENARIOS), SyntaxError)
  }
  assert.throws(() => parseOptions(['--speed'], SCENARIOS), TypeError)
})
