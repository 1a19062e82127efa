import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeLeftOut, encodeLeftOut } from './left-out-format.ts'

test('decodeLeftOut() refuses what was never encoded', () => {
  const [range, next] = [
    { offset: 8, length: 4 },
    { offset: 12, length: 4 },
  ] as const
  assert.deepEqual(
    decodeLeftOut('aa', encodeLeftOut('aa', new Map([['a', [range, next]]]))),
    new Map([['a', [range, next]]]),
  )
  const unsound = [
    [next, range],
    [range, { offset: 11, length: 4 }],
    [{ offset: 0, length: 0 }],
    [{ offset: -1, length: 4 }],
    [{ offset: 0.5, length: 4 }],
    [{ offset: Number.NaN, length: 4 }],
    [{ offset: Number.MAX_SAFE_INTEGER, length: 4 }],
  ]
  for (const ranges of unsound) {
    assert.throws(() => decodeLeftOut('aa', encodeLeftOut('aa', new Map([['a', ranges]]))), SyntaxError)
  }
  const heads = [
    '',
    '{',
    '[]',
    '{"pointId":"aa"}',
    '{"pointId":"aa","objects":[{"name":"a"}]}',
    '{"pointId":"aa","objects":[{"name":"a","rangeCount":1e9}]}',
    '{"pointId":"aa","objects":[{"name":"a","rangeCount":1}]}',
    '{"pointId":"bb","objects":[]}',
  ]
  for (const head of heads) {
    const length = new Uint8Array(Uint32Array.of(head.length).buffer)
    assert.throws(() => decodeLeftOut('aa', Buffer.concat([length, Buffer.from(head)])), SyntaxError, head)
  }
  for (const bytes of [[], [0, 0, 0], [9, 0, 0, 0]]) {
    assert.throws(() => decodeLeftOut('aa', Uint8Array.from(bytes)), SyntaxError)
  }
})
