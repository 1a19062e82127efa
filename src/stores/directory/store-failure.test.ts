import assert from 'node:assert/strict'
import { test } from 'node:test'

import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import { storeFailure } from './store-failure.ts'

const failed = (verb: string, code: string): BackupError =>
  storeFailure(Object.assign(new Error(`${code}: it says`), { code }), { verb, path: '/repository/config' })

test('storeFailure() tells apart what a program can act on', () => {
  for (const [verb, errno, code] of [
    ['write', 'ENOSPC', ErrorCode.StoreFull],
    ['write', 'EDQUOT', ErrorCode.StoreFull],
    ['write', 'EROFS', ErrorCode.StoreReadOnly],
    ['write', 'EACCES', ErrorCode.StoreReadOnly],
    ['remove', 'EPERM', ErrorCode.StoreReadOnly],
    ['write', 'EEXIST', ErrorCode.StoreObjectExists],
    ['write', 'EIO', ErrorCode.StoreFailed],
    ['read', 'ENOENT', ErrorCode.StoreObjectMissing],
    ['read', 'EIO', ErrorCode.StoreFailed],
    ['read', 'EACCES', ErrorCode.StoreFailed],
    ['list', 'EACCES', ErrorCode.StoreFailed],
    ['look at', 'EACCES', ErrorCode.StoreFailed],
  ] as const) {
    const error = failed(verb, errno)
    assert.equal(error.code, code, `${verb} ${errno}`)
    assert.ok(error.message.startsWith(`Cannot ${verb} "/repository/config": `))
    assert.equal(error.data['errno'], errno)
  }
  assert.match(failed('read', 'EACCES').message, /may not be read by this user/)
})

test('storeFailure() passes on what was translated already', () => {
  const error = new BackupError(ErrorCode.StoreFailed, 'Cannot')
  assert.equal(storeFailure(error, { verb: 'write', path: '/' }), error)
})
