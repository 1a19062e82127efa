import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assert as assertProperty, property, uint8Array } from 'fast-check'

import { formatPathBytes, joinPath, parsePathBytes, splitPath } from './path-text.ts'

test('formatPathBytes() shows what is printable, and the bytes of all else', () => {
  assert.equal(formatPathBytes(Buffer.from('/srv/Müller & Söhne/日本')), '/srv/Müller & Söhne/日本')
  assert.equal(formatPathBytes(Buffer.from('a\\b\nc\td\r')), 'a\\\\b\\nc\\td\\r')
  assert.equal(formatPathBytes(Buffer.from('x\u001b[2Jy\u0085')), 'x\\x1b[2Jy\\xc2\\x85')
  assert.equal(formatPathBytes(Buffer.from('gnp\u202e.exe')), 'gnp\\xe2\\x80\\xae.exe')
  assert.equal(formatPathBytes(Buffer.from('caf\xe9', 'latin1')), 'caf\\xe9')
  assert.equal(formatPathBytes(Buffer.from('ed a0 80'.replaceAll(' ', ''), 'hex')), '\\xed\\xa0\\x80')
})

test('parsePathBytes() undoes formatPathBytes() for any bytes', () => {
  assertProperty(
    property(uint8Array({ maxLength: 40 }), (bytes) => {
      const text = formatPathBytes(bytes)
      assert.doesNotMatch(text, /\p{Cc}/u)
      assert.ok(Buffer.compare(parsePathBytes(text), bytes) === 0, text)
    }),
  )
})

test('parsePathBytes() refuses a backslash that begins nothing', () => {
  for (const text of ['\\', 'a\\q', '\\x1', '\\xg0']) assert.throws(() => parsePathBytes(text), SyntaxError)
})

test('splitPath() gives the names, and refuses to go up', () => {
  const names = splitPath(Buffer.from('//etc/./init.d//rc...d/'))
  assert.deepEqual(
    names.map((name) => Buffer.from(name).toString()),
    ['etc', 'init.d', 'rc...d'],
  )
  assert.equal(Buffer.from(joinPath(names)).toString(), '/etc/init.d/rc...d')
  assert.equal(Buffer.from(joinPath([])).toString(), '/')
  assert.throws(() => splitPath(Buffer.from('/etc/../root')), SyntaxError)
})
