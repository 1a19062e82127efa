import assert from 'node:assert/strict'
import test from 'node:test'
import { samplePoint } from '../../test/support/sample-point.ts'
import { selectPoint, selectSoundPoint } from './select-point.ts'

const POINTS = [
  samplePoint('aaaa1', { lineage: 'x' }),
  samplePoint('aaaa2', { lineage: 'y:z' }),
  samplePoint('bbbb1', { lineage: 'x' }),
]

test('selectPoint() takes an id, a unique prefix, latest and latest:LINEAGE', () => {
  const found = ['aaaa1', 'bbbb', 'latest', 'latest:x', 'latest:y:z', POINTS[0]?.id ?? ''].map((selector) =>
    selectPoint(POINTS, selector).id.slice(0, 5),
  )
  assert.deepEqual(found, ['aaaa1', 'bbbb1', 'bbbb1', 'bbbb1', 'aaaa2', 'aaaa1'])
})

test('selectPoint() names the ids that begin alike', () => {
  assert.throws(() => selectPoint(POINTS, 'aaaa'), {
    code: 'POINT_AMBIGUOUS',
    message: 'Cannot tell which point "aaaa" is: 2 ids begin so, give more digits',
    data: { selector: 'aaaa', ids: POINTS.slice(0, 2).map((stored) => stored.id) },
  })
})

test('selectPoint() says what there is instead', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['bbb', /expected at least 4 hexadecimal digits/],
    ['cccc', /no recovery point has an id that begins so/],
    ['latest:q', /no point of lineage "q", there are x, y:z/],
  ]
  for (const [selector, message] of cases) {
    assert.throws(() => selectPoint(POINTS, selector), { code: 'POINT_MISSING', message })
  }
  assert.throws(() => selectPoint([], 'latest'), { message: /the repository has no points/ })
})

test('selectSoundPoint() does not call a point missing that is damaged', () => {
  const damaged = [{ id: 'cccc1'.padEnd(64, '0'), reason: 'torn' }]
  const found = { points: POINTS, damaged }
  assert.equal(selectSoundPoint(found, 'latest'), POINTS[2])
  assert.throws(() => selectSoundPoint(found, 'cccc'), {
    code: 'REPOSITORY_DAMAGED',
    message: 'Cannot use point "cccc": point cccc10000000 is damaged: torn',
  })
  assert.throws(() => selectSoundPoint(found, 'latest:other'), { code: 'REPOSITORY_DAMAGED' })
  assert.throws(() => selectSoundPoint(found, 'dddd'), { code: 'POINT_MISSING' })
  assert.throws(() => selectSoundPoint({ points: [], damaged }, 'latest'), { code: 'REPOSITORY_DAMAGED' })
})
