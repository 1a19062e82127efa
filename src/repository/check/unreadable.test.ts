import assert from 'node:assert/strict'
import test from 'node:test'
import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import { damageOf } from './unreadable.ts'

test('damageOf() says what is damage, and throws what says nothing about the bytes', () => {
  assert.equal(damageOf(new SyntaxError('magic is wrong')), 'magic is wrong')
  assert.equal(damageOf(failed()), 'Cannot read')
  assert.equal(damageOf(failed('EIO')), 'Cannot read')
  for (const error of [
    failed('EMFILE'),
    failed('ETIMEDOUT'),
    new BackupError(ErrorCode.StoreReadOnly, 'no permission'),
    new TypeError('our own'),
  ]) {
    assert.throws(() => damageOf(error), error)
  }
})

function failed(errno?: string): BackupError {
  return new BackupError(ErrorCode.StoreFailed, 'Cannot read', { data: errno === undefined ? {} : { errno } })
}
