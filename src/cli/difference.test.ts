import assert from 'node:assert/strict'
import test from 'node:test'
import type { DifferingRange } from '../repository/differing-ranges.ts'
import { changeListPieces, measureDifference } from './difference.ts'

async function* ranges(count: number): AsyncGenerator<DifferingRange> {
  for (let index = 0; index < count; index += 1) {
    yield await Promise.resolve({ offset: index * 10, length: 5, exists: index % 2 === 0 })
  }
}

test('measureDifference() counts all ranges and holds the first', async () => {
  assert.deepEqual(await measureDifference(ranges(3), 2), {
    rangeCount: 3,
    differingBytes: 15,
    zeroedBytes: 5,
    held: [
      { offset: 0, length: 5, exists: true },
      { offset: 10, length: 5, exists: false },
    ],
  })
})

test('changeListPieces() is one JSON array, whatever the number of ranges', async () => {
  for (const count of [0, 1, 2, 511, 512, 513, 1024, 1500]) {
    const text = (await Array.fromAsync(changeListPieces(ranges(count)))).join('')
    assert.deepEqual(JSON.parse(text), await Array.fromAsync(ranges(count)), `${count} ranges`)
    assert.ok(text.endsWith(']\n'))
  }
})
