import assert from 'node:assert/strict'
import { test } from 'node:test'

import { formatLvmUuid, isLvmUuid } from './lvm-uuid.ts'

test('formatLvmUuid() cuts the 32 characters as people write them', () => {
  const text = formatLvmUuid('V9N6H5MXloJmEETLHsKyAokLv5JL0RY7')
  assert.equal(text, 'V9N6H5-MXlo-JmEE-TLHs-KyAo-kLv5-JL0RY7')
  assert.equal(isLvmUuid(text), true)
})

test('formatLvmUuid() gives null for what is no id', () => {
  assert.equal(formatLvmUuid('V9N6H5MXloJmEETLHsKyAokLv5JL0RY'), null)
  assert.equal(formatLvmUuid('V9N6H5MXloJmEETLHsKyAokLv5JL0RY\0'), null)
  assert.equal(isLvmUuid('V9N6H5MXloJmEETLHsKyAokLv5JL0RY7'), false)
})
