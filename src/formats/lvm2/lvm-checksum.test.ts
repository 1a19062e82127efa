import assert from 'node:assert/strict'
import { test } from 'node:test'

import { lvmChecksum } from './lvm-checksum.ts'

test('lvmChecksum() begins with the value of LVM and inverts nothing', () => {
  assert.equal(lvmChecksum(new Uint8Array(0)), 0xf597a6cf)
  // One step of the division by hand: the initial value shifted by a byte of zeros.
  let remainder = 0xf597a6cf
  for (let bit = 0; bit < 8; bit += 1) {
    remainder = ((remainder >>> 1) ^ (remainder & 1 ? 0xedb88320 : 0)) >>> 0
  }
  assert.equal(lvmChecksum(Uint8Array.of(0)), remainder)
})
