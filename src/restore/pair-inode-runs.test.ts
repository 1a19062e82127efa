import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'

import type { InodeRun } from '../formats/inode-map.ts'
import { pairInodeRuns } from './pair-inode-runs.ts'

const INODE_BYTES = 256

/** A run for each pair of a gap and a length; inode 100 lies at byte 0. */
function runsOf(steps: readonly (readonly [gap: number, count: number])[]): InodeRun[] {
  let index = 0
  return steps.map(([gap, count]) => {
    const run = { firstNumber: 100 + index + gap, count, offsetBytes: (index + gap) * INODE_BYTES }
    index += gap + count
    return run
  })
}

function numbersOf(runs: readonly InodeRun[]): number[] {
  return runs.flatMap(({ firstNumber, count }) =>
    Array.from({ length: count }, (_, index) => firstNumber + index),
  )
}

test('pairInodeRuns() says of each inode who has it, each once', () => {
  const steps = fc.array(fc.tuple(fc.nat(5), fc.integer({ min: 1, max: 9 })))
  fc.assert(
    fc.property(steps, steps, (one, other) => {
      const [before, after] = [runsOf(one), runsOf(other)]
      const paired = [...pairInodeRuns({ before, after }, INODE_BYTES)]
      assert.deepEqual(numbersOf(paired.filter(({ isBefore }) => isBefore)), numbersOf(before))
      assert.deepEqual(numbersOf(paired.filter(({ isAfter }) => isAfter)), numbersOf(after))
      const all = numbersOf(paired)
      assert.deepEqual(
        all,
        [...new Set(all)].toSorted((a, b) => a - b),
      )
      for (const run of paired) assert.equal(run.offsetBytes, (run.firstNumber - 100) * INODE_BYTES)
    }),
  )
})
