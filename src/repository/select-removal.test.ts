import assert from 'node:assert/strict'
import test from 'node:test'
import { samplePoint } from '../../test/support/sample-point.ts'
import { selectRemoval } from './select-removal.ts'

const FOUND = {
  points: [samplePoint('aaaa1'), samplePoint('bbbb1')],
  damaged: [
    { id: 'aaaa2'.padEnd(64, '0'), reason: 'torn' },
    { id: 'cccc'.padEnd(64, '0'), reason: 'torn' },
  ],
}

test('selectRemoval() finds sound points as every command does, and damaged ones by id', () => {
  assert.equal(selectRemoval(FOUND, 'bbbb').id, FOUND.points[1]?.id)
  assert.equal(selectRemoval(FOUND, 'latest').id, FOUND.points[1]?.id)
  assert.deepEqual(selectRemoval(FOUND, 'cccc'), FOUND.damaged[1])
  assert.deepEqual(selectRemoval(FOUND, 'aaaa2'), FOUND.damaged[0])
})

test('selectRemoval() refuses digits that a sound and a damaged point share, and too few digits', () => {
  assert.throws(() => selectRemoval(FOUND, 'aaaa'), { code: 'POINT_AMBIGUOUS' })
  assert.throws(() => selectRemoval(FOUND, 'ccc'), { code: 'POINT_MISSING' })
  assert.throws(() => selectRemoval(FOUND, 'dddd'), { code: 'POINT_MISSING' })
})
