import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errnoMeaning, errnoOf } from './errno.ts'

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: something`), { code })
}

test('errnoOf() knows system errors from others', () => {
  assert.equal(errnoOf(systemError('EIO')), 'EIO')
  assert.equal(errnoOf(systemError('ERR_OUT_OF_RANGE')), null)
  assert.equal(errnoOf(new Error('EIO')), null)
  assert.equal(errnoOf('EIO'), null)
})

test('errnoMeaning() names an errno that it has no words for', () => {
  assert.equal(errnoMeaning(systemError('EUCLEAN')), 'the system reports EUCLEAN')
})
