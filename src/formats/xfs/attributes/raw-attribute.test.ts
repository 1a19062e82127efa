import assert from 'node:assert/strict'
import { test } from 'node:test'

import { AttributeFlag, isVisible, shownAttribute } from './raw-attribute.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const fromWords = (words: readonly string[]): Uint8Array => Uint8Array.fromHex(words.join(''))
const shownName = (flags: number, name: string): string =>
  new TextDecoder().decode(shownAttribute({ flags, name: bytes(name), value: new Uint8Array(1) }).name)

test('shownAttribute() puts the namespace before the name', () => {
  assert.equal(shownName(0, 'note'), 'user.note')
  assert.equal(shownName(AttributeFlag.Local, 'note'), 'user.note')
  assert.equal(shownName(AttributeFlag.Root, 'note'), 'trusted.note')
  assert.equal(shownName(AttributeFlag.Secure, 'selinux'), 'security.selinux')
})

test('shownAttribute() keeps what is no access control list as the bytes that it is', () => {
  assert.equal(shownName(AttributeFlag.Root, 'SGI_ACL_FILE'), 'trusted.SGI_ACL_FILE')
  assert.equal(shownName(0, 'SGI_ACL_FILE'), 'user.SGI_ACL_FILE')
})

test('shownAttribute() turns an access control list into the form of the kernel', () => {
  const value = fromWords([
    '00000002',
    '00000002',
    '000003e8',
    '0006',
    '0000',
    '00000020',
    '00000000',
    '0004',
    '0000',
  ])
  const shown = shownAttribute({ flags: AttributeFlag.Root, name: bytes('SGI_ACL_DEFAULT'), value })
  assert.equal(new TextDecoder().decode(shown.name), 'system.posix_acl_default')
  const expected = ['02000000', '0200', '0600', 'e8030000', '2000', '0400', 'ffffffff']
  assert.deepEqual(shown.value, fromWords(expected))
})

test('isVisible() hides parents and what was being written', () => {
  assert.equal(isVisible(AttributeFlag.Root | AttributeFlag.Local), true)
  assert.equal(isVisible(AttributeFlag.Parent), false)
  assert.equal(isVisible(AttributeFlag.Incomplete), false)
})
