import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { DerError, DerReader, takeTime } from './der-reader.ts'
import { der, derTime, DerTag, objectId, sequence, smallInteger, unsignedInteger } from './der-writer.ts'

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

test('numbers and names of objects are written as X.690 has it', () => {
  assert.equal(hex(smallInteger(0)), '020100')
  assert.equal(hex(smallInteger(127)), '02017f')
  assert.equal(hex(smallInteger(128)), '02020080')
  assert.equal(hex(smallInteger(256)), '02020100')
  assert.equal(hex(unsignedInteger(Uint8Array.of(0, 0, 0xff))), '020200ff')
  assert.equal(hex(objectId('2.5.29.15')), '0603551d0f')
  assert.equal(hex(objectId('1.2.840.10045.4.3.2')), '06082a8648ce3d040302')
})

test('take() gives back what der() wrote, of every length', () => {
  for (const length of [0, 1, 127, 128, 255, 256, 65_535, 65_536, 200_000]) {
    const content = new Uint8Array(length).fill(7)
    const reader = new DerReader(der(DerTag.OctetString, content))
    assert.equal(reader.take(DerTag.OctetString, 'it').content.length, length)
    reader.end('it')
  }
})

test('takeTime() gives back what derTime() wrote, to the second, on both sides of 2050', () => {
  const seconds = fc.integer({ min: 0, max: 7_000_000_000 })
  fc.assert(
    fc.property(seconds, (second) => {
      assert.equal(takeTime(new DerReader(derTime(second * 1000 + 999)), 'it'), second * 1000)
    }),
  )
  assert.equal(hex(derTime(2_524_607_999_000)).slice(0, 2), '17')
  assert.equal(hex(derTime(2_524_608_000_000)).slice(0, 2), '18')
})

test('DerReader reads nothing outside, and fails with a sentence on anything', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const reader = new DerReader(bytes)
      try {
        const item = reader.take(bytes[0] ?? 0, 'it')
        assert.ok(item.whole.length <= bytes.length)
      } catch (error) {
        assert.ok(error instanceof DerError)
      }
    }),
  )
})

test('DerReader takes one way to write a length', () => {
  const wrong = ['308000', '30810100', '30820001ff', '3084000000010a', '3085', '30', '3082']
  for (const text of wrong) {
    assert.throws(() => new DerReader(Buffer.from(text, 'hex')).enter(DerTag.Sequence, 'it'), DerError, text)
  }
  const reader = new DerReader(Buffer.concat([sequence(), Uint8Array.of(1)]))
  reader.take(DerTag.Sequence, 'it')
  assert.throws(() => reader.end('it'), { message: '1 bytes follow it' })
})
