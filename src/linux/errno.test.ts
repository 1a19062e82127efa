import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isBackupError } from '../domain/backup-error.ts'
import { sourceReadError, targetWriteError } from './errno.ts'

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: something`), { code })
}

const place = { path: '/dev/sdx', offset: 4096, length: 512 }

test('sourceReadError() says where and what', () => {
  const cause = systemError('EIO')
  const error = sourceReadError(cause, place)
  assert.ok(isBackupError(error, 'SOURCE_READ_FAILED'))
  assert.equal(
    error.message,
    'Cannot read "/dev/sdx" at offset 4096, length 512: the device reports EIO, an input/output error',
  )
  assert.deepEqual(error.data, { ...place, errno: 'EIO' })
  assert.equal(error.cause, cause)
})

test('sourceReadError() gives back what is no system error', () => {
  const bug = new TypeError('a bug')
  assert.equal(sourceReadError(bug, place), bug)
})

test('targetWriteError() says where and what', () => {
  const error = targetWriteError(systemError('ENOSPC'), place)
  assert.ok(isBackupError(error, 'TARGET_WRITE_FAILED'))
  assert.match(error.message, /^Cannot write "\/dev\/sdx" at offset 4096, length 512: .*ENOSPC, no space/)
})
