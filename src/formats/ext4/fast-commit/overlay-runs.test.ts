import assert from 'node:assert/strict'
import { test } from 'node:test'

import { seededRandomness } from '../../../../test/support/seeded-randomness.ts'
import type { BlockRun } from '../block-run.ts'
import { newestRuns, overlayRuns } from './overlay-runs.ts'

const FILE_BLOCKS = 60
const WHOLE = { start: 0, end: FILE_BLOCKS }

/** By block of the file where it lies, and whether that was written; undefined where nothing was said. */
type Model = (string | undefined)[]

function write(model: Model, runs: readonly BlockRun[]): void {
  for (const { fileBlock, blockCount, firstBlock, unwritten } of runs) {
    for (let index = 0; index < blockCount; index += 1) {
      model[fileBlock + index] = firstBlock === 0 ? 'hole' : `${firstBlock + index} ${unwritten}`
    }
  }
}

/** What runs say, which have to ascend without overlap. */
function modelOf(runs: readonly BlockRun[]): Model {
  let position = 0
  for (const run of runs) {
    assert(run.fileBlock >= position && run.blockCount > 0, `run at ${run.fileBlock} behind ${position}`)
    position = run.fileBlock + run.blockCount
  }
  const model: Model = Array.from({ length: FILE_BLOCKS })
  write(model, runs)
  return model
}

function someRuns(seed: number, count: number): BlockRun[] {
  const random = seededRandomness(seed)
  return Array.from({ length: count }, () => {
    const fileBlock = random.below(FILE_BLOCKS)
    const blockCount = 1 + random.below(Math.min(12, FILE_BLOCKS - fileBlock))
    const firstBlock = random.below(4) === 0 ? 0 : 1000 + random.below(1000)
    return { fileBlock, blockCount, firstBlock, unwritten: firstBlock !== 0 && random.below(3) === 0 }
  })
}

test('newestRuns() says of every block what was said last', () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const runs = someRuns(seed, seed % 20)
    const expected: Model = Array.from({ length: FILE_BLOCKS })
    write(expected, runs)
    assert.deepEqual(modelOf(newestRuns(runs)), expected, `seed ${seed}`)
  }
})

test('overlayRuns() lays newer runs over older ones, holes included, wherever it begins', async () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const older = newestRuns(someRuns(seed, 8)).filter((run) => run.firstBlock !== 0)
    const newer = newestRuns(someRuns(seed + 1000, seed % 9))
    const expected: Model = Array.from({ length: FILE_BLOCKS })
    write(expected, older)
    write(expected, newer)
    const start = seed % 3 === 0 ? 0 : seed % FILE_BLOCKS
    const batches = [older.slice(0, 3), older.slice(3)].map((batch) =>
      batch.filter((run) => run.fileBlock + run.blockCount > start),
    )
    const stream = overlayRuns(inBatches(batches), newer, { ...WHOLE, start })
    const found = modelOf((await Array.fromAsync(stream)).flat())
    const wanted = expected.map((what) => (what === 'hole' ? undefined : what))
    assert.deepEqual(found.slice(start), wanted.slice(start), `seed ${seed}`)
  }
})

async function* inBatches<T>(batches: readonly T[]): AsyncGenerator<T> {
  for (const batch of batches) yield await Promise.resolve(batch)
}
