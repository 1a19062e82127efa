import assert from 'node:assert/strict'
import { test } from 'node:test'

import { TailBuffer } from './tail-buffer.ts'

test('TailBuffer keeps the end of what was added, whatever the size of the pieces', () => {
  const text = Array.from({ length: 5000 }, (_, number) => `line ${number}\n`).join('')
  for (const pieceSize of [1, 7, 100, 4096, 100_000]) {
    const tail = new TailBuffer(1000)
    const bytes = Buffer.from(text)
    for (let at = 0; at < bytes.byteLength; at += pieceSize) tail.add(bytes.subarray(at, at + pieceSize))
    assert.equal(tail.text(), text.slice(-1000), `${pieceSize}`)
    assert.equal(tail.isCut, true)
  }
})

test('TailBuffer keeps everything that fits, and cuts no character in half', () => {
  const whole = new TailBuffer(10)
  whole.add(Buffer.from('12345'))
  whole.add(Buffer.from('67890'))
  assert.equal(whole.text(), '1234567890')
  assert.equal(whole.isCut, false)
  const cut = new TailBuffer(5)
  cut.add(Buffer.from('ab€€')) // Three bytes each.
  assert.equal(cut.text(), '€')
  assert.equal(new TailBuffer(4).text(), '')
})
