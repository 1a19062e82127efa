import assert from 'node:assert/strict'
import test from 'node:test'
import { samplePoint } from '../../test/support/sample-point.ts'
import type { StoredPoint } from '../domain/recovery-point.ts'
import { selectObject } from './select-object.ts'

const ONE = samplePoint('aa')
const [OBJECT] = ONE.point.objects
assert.ok(OBJECT)
const TWO: StoredPoint = {
  ...ONE,
  point: { ...ONE.point, objects: [OBJECT, { ...OBJECT, name: 'logs' }] },
}

test('selectObject() takes the only object without its name, or the one of that name', () => {
  assert.equal(selectObject(ONE, undefined).name, 'data')
  assert.equal(selectObject(TWO, 'logs').name, 'logs')
})

test('selectObject() names the objects that there are', () => {
  assert.throws(() => selectObject(TWO, undefined), {
    code: 'OBJECT_MISSING',
    message: /it has 2 objects, required is --object with one of "data", "logs"$/,
  })
  assert.throws(() => selectObject(ONE, 'x'), { code: 'OBJECT_MISSING', message: /it has no object "x"/ })
})
