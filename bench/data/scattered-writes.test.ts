import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scatteredWrites } from './scattered-writes.ts'
import { seededStream } from './seeded-stream.ts'

const DATA_RUNS = [
  { offset: 65536, length: 40 * 2 ** 20 },
  { offset: 100 * 2 ** 20, length: 400 * 2 ** 20 },
]
const WISH = { sizeBytes: 2 ** 30 }

test('scatteredWrites() are in order, in the data, of 4 to 128 KiB, and do not overlap', () => {
  const writes = scatteredWrites(DATA_RUNS, { ...WISH, stream: seededStream('writes') })
  assert.equal(writes.length, 194) // 1548 in 8 GiB
  let end = 0
  for (const write of writes) {
    assert(write.offset >= end)
    assert(write.length >= 4096 && write.length <= 131_072 && write.length % 4096 === 0)
    assert(
      DATA_RUNS.some(
        (run) => run.offset <= write.offset && write.offset + write.length <= run.offset + run.length,
      ),
    )
    end = write.offset + write.length
  }
})

test('scatteredWrites() are the same for the same seed', () => {
  const first = scatteredWrites(DATA_RUNS, { ...WISH, stream: seededStream('same') })
  const second = scatteredWrites(DATA_RUNS, { ...WISH, stream: seededStream('same') })
  assert.deepEqual(first, second)
})
