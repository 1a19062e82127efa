import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withholdRanges } from './withhold-ranges.ts'

const small = { offset: 0, length: 10 }
const large = { offset: 50, length: 80 }
const middle = { offset: 200, length: 30 }

test('withholdRanges() takes the largest away until the share is missing', () => {
  assert.deepEqual(withholdRanges([small, large, middle], 0.5), { kept: [small, middle], withheld: [large] })
})

test('withholdRanges() leaves at least one range', () => {
  assert.deepEqual(withholdRanges([small, large], 1), { kept: [small], withheld: [large] })
  assert.deepEqual(withholdRanges([small], 1), { kept: [small], withheld: [] })
})
