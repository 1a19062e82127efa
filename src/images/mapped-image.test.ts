import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import type { Extent } from '../domain/extent.ts'
import { ExtentTable } from '../extents/extent-table.ts'
import {
  anyMap,
  assertNormal,
  collect,
  DEVICE_BYTES,
  ownership,
  sizeOf,
} from '../../test/extents/byte-model.ts'
import { bytesImage } from '../../test/support/bytes-image.ts'
import { mappedImage, type MappedLayer } from './mapped-image.ts'
import { readBytes } from './read-bytes.ts'

const SIGNAL = new AbortController().signal

/** Two devices whose bytes all differ. */
const DEVICES = [0, 1].map((device) =>
  Uint8Array.from({ length: DEVICE_BYTES }, (_, byte) => 100 * device + byte + 10),
)

const DISKS: readonly MappedLayer[] = DEVICES.map((bytes, device) => ({
  image: bytesImage(bytes),
  device: 5 + device,
  isMapped: false,
}))

function tableOf(map: Extent[][]): Promise<ExtentTable> {
  return ExtentTable.read(map, { sizeBytes: sizeOf(map) })
}

/** What the bytes of the image have to be. */
function contentOf(map: Extent[][], devices: readonly Uint8Array[]): Uint8Array {
  const content = new Uint8Array(sizeOf(map))
  for (const extent of map.flat()) {
    const { offset, length } = extent
    if (extent.kind === 'inline') content.set(extent.bytes, offset)
    if (extent.kind !== 'data') continue
    const { device, physicalOffset } = extent
    content.set(devices[device]?.subarray(physicalOffset, physicalOffset + length) ?? [], offset)
  }
  return content
}

/** The map, made as long as the devices. */
function asLayer(map: Extent[][]): Extent[][] {
  const offset = sizeOf(map)
  if (offset >= DEVICE_BYTES) return map
  return [...map, [{ kind: 'zero', offset, length: DEVICE_BYTES - offset }]]
}

function dataExtent(device: number, physicalOffset: number): Extent[][] {
  return [[{ kind: 'data', offset: 0, length: 10, device, physicalOffset }]]
}

test('mappedImage() has the bytes that its map says, in any range', async () => {
  await fc.assert(
    fc.asyncProperty(anyMap, fc.nat(120), fc.nat(120), async (map, start, end) => {
      const image = mappedImage(await tableOf(map), DISKS)
      const offset = Math.min(start, image.sizeBytes)
      const length = Math.min(Math.max(end - offset, 0), image.sizeBytes - offset)
      const expected = contentOf(map, DEVICES).subarray(offset, offset + length)
      assert.deepEqual(await readBytes(image, offset, length), expected)
    }),
  )
})

test('mappedImage() over mapped images says where the bytes lie at last', async () => {
  await fc.assert(
    fc.asyncProperty(anyMap, anyMap, fc.nat(60), async (map, lowerMap, start) => {
      const lower = mappedImage(await tableOf(asLayer(lowerMap)), DISKS)
      const lowerContent = contentOf(asLayer(lowerMap), DEVICES)
      const image = mappedImage(await tableOf(map), [
        { image: lower, device: 10, isMapped: true },
        { image: bytesImage(DEVICES[1] ?? new Uint8Array(0)), device: 7, isMapped: false },
      ])
      const sizeBytes = sizeOf(map)
      const content = contentOf(map, [lowerContent, DEVICES[1] ?? lowerContent])
      assert.deepEqual(await readBytes(image, 0, sizeBytes), content)

      const owners = ownership(asLayer(lowerMap), sizeOf(asLayer(lowerMap)))
      const expected = ownership(map, sizeBytes).map((owner) => {
        const place = /^(\d)@(\d+)$/.exec(owner ?? '')
        if (place === null) return owner
        if (place[1] === '1') return `7@${place[2]}`
        return owners[Number(place[2])]?.replace(/^\d(?=@)/, (device) => `${10 + 5 + Number(device)}`)
      })
      const offset = Math.min(start, sizeBytes)
      if (offset === sizeBytes) return
      const range = { offset, length: sizeBytes - offset }
      const found = await collect(image.extents(range, SIGNAL))
      assert.deepEqual(ownership([found], sizeBytes).slice(offset), expected.slice(offset))
      assertNormal(found)
    }),
  )
})

test('mappedImage() refuses devices that it does not have and bytes beyond the end of one', async () => {
  const unknown = mappedImage(await tableOf(dataExtent(2, 0)), DISKS)
  const message = 'Cannot resolve extent 0+10: found device 2, there are 2'
  await assert.rejects(readBytes(unknown, 0, 10), { name: 'RangeError', message })
  await assert.rejects(collect(unknown.extents({ offset: 0, length: 10 }, SIGNAL)), { message })
  const beyond = mappedImage(await tableOf(dataExtent(1, 30)), DISKS)
  await assert.rejects(readBytes(beyond, 0, 10), {
    name: 'RangeError',
    message: 'Cannot resolve extent 0+10: found bytes 30+10 of device 1, it has 39',
  })
})

test('mappedImage() needs reads as large as the largest sector below', async () => {
  const map = await tableOf([[{ kind: 'zero', offset: 0, length: 9 }]])
  const large = {
    image: bytesImage(new Uint8Array(9), { sectorSizeBytes: 4096 }),
    device: 0,
    isMapped: false,
  }
  assert.equal(mappedImage(map, [...DISKS, large]).sectorSizeBytes, 4096)
  assert.equal(mappedImage(map, []).sectorSizeBytes, 512)
})
