import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FileExtent } from '../domain/file-clone.ts'
import { askFiemap, FIEMAP_EXTENT_BYTES, FIEMAP_HEADER_BYTES, parseFiemap } from './fiemap-reply.ts'

type Told = { logical: number; physical: number; length: number; flags?: number }

const LAST = 0x1
const UNWRITTEN = 0x800
const SHARED = 0x2000
/** Unknown, delayed, encoded, encrypted, not aligned, inline, a tail, and one that no kernel has yet. */
const INEXACT = [0x2, 0x4, 0x8, 0x80, 0x100, 0x200, 0x400, 0x8000]

function reply(extents: readonly Told[], room = extents.length): Uint8Array {
  const buffer = new Uint8Array(FIEMAP_HEADER_BYTES + room * FIEMAP_EXTENT_BYTES)
  askFiemap(buffer, { offset: 0, length: 1 }, { extentCount: room })
  const view = new DataView(buffer.buffer)
  view.setUint32(20, extents.length, true)
  for (const [index, { logical, physical, length, flags = 0 }] of extents.entries()) {
    const at = FIEMAP_HEADER_BYTES + index * FIEMAP_EXTENT_BYTES
    view.setBigUint64(at, BigInt(logical), true)
    view.setBigUint64(at + 8, BigInt(physical), true)
    view.setBigUint64(at + 16, BigInt(length), true)
    view.setUint32(at + 40, flags, true)
  }
  return buffer
}

function exact(offset: number, length: number, physicalOffset: number): FileExtent {
  return { offset, length, place: 'exact', physicalOffset, shared: false }
}

test('askFiemap() asks for a range, and for dirty pages to be written first', () => {
  const buffer = new Uint8Array(FIEMAP_HEADER_BYTES + FIEMAP_EXTENT_BYTES).fill(0xff)
  askFiemap(buffer, { offset: 4096, length: 2 ** 40 }, { extentCount: 1 })
  assert.equal(
    buffer.subarray(0, 32).toHex(),
    '0010000000000000000000000001000001000000000000000100000000000000',
  )
})

test('parseFiemap() tells extents in order, cut to the range', () => {
  const buffer = reply([
    { logical: 0, physical: 10_000, length: 8192 },
    { logical: 12_288, physical: 2 ** 45, length: 4096, flags: SHARED },
    { logical: 16_384, physical: 50_000, length: 8192, flags: UNWRITTEN | LAST },
  ])
  assert.deepEqual(parseFiemap(buffer, { offset: 4096, length: 16_384 }), {
    extents: [
      exact(4096, 4096, 14_096),
      { ...exact(12_288, 4096, 2 ** 45), shared: true },
      { ...exact(16_384, 4096, 50_000), place: 'unwritten' },
    ],
    isLast: true,
  })
})

test('parseFiemap() calls inexact whatever has a flag that takes the meaning of its place away', () => {
  for (const flags of INEXACT) {
    for (const more of [0, SHARED, UNWRITTEN, LAST]) {
      const { extents } = parseFiemap(reply([{ logical: 0, physical: 0, length: 10, flags: flags | more }]), {
        offset: 0,
        length: 100,
      })
      assert.equal(extents[0]?.place, 'inexact', `flags 0x${(flags | more).toString(16)}`)
    }
  }
})

test('parseFiemap() knows the end: by flag, by the range, or when nothing is told', () => {
  const range = { offset: 0, length: 100 }
  const isLast = (extents: readonly Told[]): boolean => parseFiemap(reply(extents, 2), range).isLast
  assert.equal(isLast([]), true)
  assert.equal(isLast([{ logical: 0, physical: 0, length: 99 }]), false)
  assert.equal(isLast([{ logical: 0, physical: 0, length: 99, flags: LAST }]), true)
  assert.equal(isLast([{ logical: 0, physical: 0, length: 100 }]), true)
})

test('parseFiemap() leaves out what lies outside of the range', () => {
  const told = [
    { logical: 100, physical: 0, length: 50 },
    { logical: 300, physical: 0, length: 50 },
  ]
  assert.deepEqual(parseFiemap(reply(told), { offset: 0, length: 100 }).extents, [])
})

test('parseFiemap() refuses what no file system can mean', () => {
  const range = { offset: 0, length: 1000 }
  const wrong: readonly (readonly Told[])[] = [
    [{ logical: 0, physical: 0, length: 0 }],
    [
      { logical: 0, physical: 0, length: 10 },
      { logical: 9, physical: 0, length: 10 },
    ],
    [
      { logical: 50, physical: 0, length: 10 },
      { logical: 0, physical: 0, length: 10 },
    ],
    [{ logical: 2 ** 60, physical: 0, length: 10 }],
    [{ logical: 0, physical: 2 ** 60, length: 10 }],
  ]
  for (const extents of wrong) assert.throws(() => parseFiemap(reply(extents), range), RangeError)
  const tooMany = reply([{ logical: 0, physical: 0, length: 10 }])
  new DataView(tooMany.buffer).setUint32(20, 2, true)
  assert.throws(() => parseFiemap(tooMany, range), /found 2 extents, there is room for 1/)
})
