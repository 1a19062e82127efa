import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  array,
  assert as assertProperty,
  asyncProperty,
  constantFrom,
  integer,
  nat,
  oneof,
  record,
} from 'fast-check'

import { mixedBytes } from '../../test/support/mixed-bytes.ts'
import type { Extent } from '../domain/extent.ts'
import { encodeExtents } from '../extents/encode.ts'
import { mappedSource } from './mapped-source.ts'
import type { LaneSource } from './seal-lane.ts'

const DEVICE_SIZE = 3_000_000
const devices = ['first', 'second'].map((name) => mixedBytes(name, DEVICE_SIZE))

/** A device as direct I/O has it: whole pages into whole pages, but for its own end. */
function strictDevice(bytes: Uint8Array): LaneSource {
  return {
    sizeBytes: bytes.byteLength,
    readInto(target, offset) {
      const end = offset + target.byteLength
      assert.equal(offset % 4096, 0)
      assert.equal(target.byteOffset % 4096, 0)
      assert.ok(end % 4096 === 0 || end === bytes.byteLength)
      target.set(bytes.subarray(offset, end))
      return Promise.resolve()
    },
  }
}

const piece = record({
  kind: constantFrom('data', 'data', 'data', 'zero', 'inline'),
  device: nat(1),
  // Often whole pages, often near one another.
  at: oneof(
    nat(DEVICE_SIZE - 1),
    nat(700).map((page) => page * 4096),
  ),
  length: oneof(integer({ min: 1, max: 9000 }), constantFrom(4096, 65_536, 2_000_000)),
})

function imageOf(pieces: readonly { kind: string; device: number; at: number; length: number }[]): {
  extents: Extent[]
  model: Uint8Array
} {
  const extents: Extent[] = []
  const parts: Uint8Array[] = []
  let offset = 0
  for (const { kind, device, at, length: wanted } of pieces) {
    const length = kind === 'data' ? Math.min(wanted, DEVICE_SIZE - at) : Math.min(wanted, 50_000)
    const bytes = kind === 'data' ? devices[device]?.subarray(at, at + length) : new Uint8Array(length)
    assert.ok(bytes)
    if (kind === 'data') extents.push({ kind, offset, length, device, physicalOffset: at })
    else if (kind === 'zero') extents.push({ kind, offset, length })
    else extents.push({ kind: 'inline', offset, length, bytes: bytes.fill(at) })
    parts.push(bytes)
    offset += length
  }
  return { extents, model: Buffer.concat(parts) }
}

test('mappedSource() reads any range of an image where its pieces lie, a page at a time or more', async () => {
  await assertProperty(
    asyncProperty(array(piece, { minLength: 1, maxLength: 30 }), nat(), async (pieces, from) => {
      const { extents, model } = imageOf(pieces)
      const sizeBytes = model.byteLength
      const encoded: Uint8Array[] = []
      for await (const part of encodeExtents([extents], { sizeBytes, deviceCount: 2 })) encoded.push(part)
      const source = mappedSource({
        sizeBytes,
        map: Buffer.concat(encoded),
        devices: devices.map(strictDevice),
        allocate: (bytes) => new Uint8Array(bytes).fill(0xdd),
      })
      const offset = from % sizeBytes
      const target = new Uint8Array(Math.min(sizeBytes - offset, 1_500_000)).fill(0xee)
      await source.readInto(target, offset)
      assert.equal(Buffer.compare(target, model.subarray(offset, offset + target.byteLength)), 0)
    }),
    { numRuns: 60 },
  )
})

const allocate = (bytes: number): Uint8Array => new Uint8Array(bytes)

function noMemory(): never {
  assert.fail('it takes memory')
}

test('mappedSource() reads whole pages to where they belong, with no memory in between', async () => {
  const lengths = [1024 * 1024, 4096, 300 * 4096, 2 * 1024 * 1024]
  let end = 0
  const extents = lengths.map((length): Extent => {
    const offset = end
    end += length
    // Far from one another: neighbours are read at once, and then told apart.
    return { kind: 'data', offset, length, device: 0, physicalOffset: 3 * offset + 4096 }
  })
  const sizeBytes = end
  const map = Buffer.concat(await Array.fromAsync(encodeExtents([extents], { sizeBytes, deviceCount: 1 })))
  const target = new Uint8Array(sizeBytes)
  const device: LaneSource = {
    sizeBytes: 2 ** 40,
    readInto: (to, offset) => {
      assert.equal(to.buffer, target.buffer)
      assert.ok(to.byteLength <= 1024 * 1024)
      to.fill((offset / 4096) % 256)
      return Promise.resolve()
    },
  }
  await mappedSource({ sizeBytes, map, devices: [device], allocate: noMemory }).readInto(target, 0)
  for (const { offset, length } of extents) {
    const read = target.subarray(offset, offset + Math.min(length, 1024 * 1024))
    assert.ok(read.every((byte) => byte === ((3 * offset) / 4096 + 1) % 256))
  }
})

test('mappedSource() reports what a device reports, and a map that is damaged', async () => {
  const extents: Extent[] = [{ kind: 'data', offset: 0, length: 4096, device: 0, physicalOffset: 0 }]
  const map = Buffer.concat(
    await Array.fromAsync(encodeExtents([extents], { sizeBytes: 4096, deviceCount: 1 })),
  )
  const failing: LaneSource = { sizeBytes: 4096, readInto: () => Promise.reject(new Error('EIO')) }
  const source = mappedSource({ sizeBytes: 4096, map, devices: [failing], allocate })
  await assert.rejects(source.readInto(new Uint8Array(4096), 0), /EIO/)
  const damaged = mappedSource({ sizeBytes: 4096, map: map.fill(1, 40), devices: [failing], allocate })
  await assert.rejects(damaged.readInto(new Uint8Array(4096), 0), /Cannot read extent map/)
})
