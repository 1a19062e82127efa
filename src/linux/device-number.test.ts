import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import { test } from 'node:test'
import { deviceNumberOf } from './device-number.ts'

test('deviceNumberOf() takes the kernel encoding apart', () => {
  assert.equal(deviceNumberOf(0x0700n), '7:0')
  assert.equal(deviceNumberOf(0xfe01n), '254:1')
  assert.equal(deviceNumberOf(0x12345abcden), '2748:19088862') // 0xabc, 0x12345de: minors beyond 255 go above the major.
})

test('deviceNumberOf() agrees with /dev/null', async () => {
  assert.equal(deviceNumberOf((await stat('/dev/null', { bigint: true })).rdev), '1:3')
})
