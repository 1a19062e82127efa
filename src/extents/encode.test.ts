import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { anyPartialMap, collect, sizeOf } from '../../test/extents/byte-model.ts'
import type { Extent } from '../domain/extent.ts'
import { decodeExtents } from './decode.ts'
import { encodeExtents, type EncodeOptions } from './encode.ts'

/** The example of docs/formats/extent-map.md. */
const EXAMPLE: Extent[] = [
  { kind: 'data', offset: 0, length: 131_072, device: 0, physicalOffset: 1_048_576 },
  { kind: 'zero', offset: 131_072, length: 4096 },
  { kind: 'data', offset: 135_168, length: 262_144, device: 1, physicalOffset: 8192 },
  // Nothing is said about 397312+8192.
  { kind: 'inline', offset: 405_504, length: 5, bytes: new TextEncoder().encode('hello') },
]

async function encoded(map: Extent[][], options: EncodeOptions): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for await (const piece of encodeExtents(map, options)) pieces.push(piece)
  return Buffer.concat(pieces)
}

test('encodeExtents() writes the example of docs/formats/extent-map.md', async () => {
  const document = await readFile(new URL('../../docs/formats/extent-map.md', import.meta.url), 'utf8')
  const lines = document.matchAll(/^[0-9a-f]{8} {2}((?:[0-9a-f]{2} {1,2}){1,16}) *\|/gm)
  const dump = [...lines].map((line) => (line[1] ?? '').replaceAll(' ', '')).join('')
  const bytes = await encoded([EXAMPLE], { sizeBytes: 1_048_576, deviceCount: 2 })
  assert.equal(bytes.toHex(), dump)
})

test('decodeExtents() reads what encodeExtents() wrote, in pieces of any lengths', async () => {
  const anyUnit = fc.constantFrom(1, 3, 512, 4096, 2 ** 32, 2 ** 45)
  await fc.assert(
    fc.asyncProperty(
      anyPartialMap,
      anyUnit,
      fc.integer({ min: 1, max: 50 }),
      async (map, unit, pieceSize) => {
        const scaled = map.map((batch) => batch.flatMap((extent) => scaledUp(extent, unit)))
        const options = { sizeBytes: sizeOf(scaled), deviceCount: 2 }
        const bytes = await encoded(scaled, options)
        const pieces = Array.from({ length: Math.ceil(bytes.byteLength / pieceSize) }, (_, index) =>
          bytes.subarray(index * pieceSize, (index + 1) * pieceSize),
        )
        assert.deepEqual(await collect(decodeExtents(pieces, options)), scaled.flat())
      },
    ),
  )
})

function scaledUp(extent: Extent, unit: number): Extent[] {
  const [offset, length] = [extent.offset * unit, extent.length * unit]
  if (extent.kind === 'data') {
    return [{ ...extent, offset, length, physicalOffset: extent.physicalOffset * unit }]
  }
  if (extent.kind === 'zero') return [{ kind: 'zero', offset, length }]
  return unit > 4096 ? [] : [{ kind: 'inline', offset, length, bytes: new Uint8Array(length).fill(7) }]
}

test('encodeExtents() keeps the largest numbers there are', async () => {
  const max = Number.MAX_SAFE_INTEGER
  const maps: Extent[][] = [
    [{ kind: 'zero', offset: 0, length: max }],
    [{ kind: 'data', offset: 0, length: max, device: 1, physicalOffset: 0 }],
    [
      { kind: 'data', offset: max - 2, length: 1, device: 0, physicalOffset: max - 1 },
      { kind: 'data', offset: max - 1, length: 1, device: 1, physicalOffset: 0 },
    ],
  ]
  const options = { sizeBytes: max, deviceCount: 2 }
  for (const map of maps) {
    assert.deepEqual(await collect(decodeExtents([await encoded([map], options)], options)), map)
  }
})

test('encodeExtents() closes blocks before inline bytes make them large', async () => {
  const length = 2 ** 20
  const map = Array.from({ length: 5 }, (_, index): Extent => {
    return { kind: 'inline', offset: index * length, length, bytes: new Uint8Array(length).fill(index) }
  })
  const options = { sizeBytes: 5 * length, deviceCount: 0 }
  assert.deepEqual(await collect(decodeExtents([await encoded([map], options)], options)), map)
})

test('encodeExtents() refuses what does not belong to the image', async () => {
  const options = { sizeBytes: 100, deviceCount: 1 }
  const refused: Extent[] = [
    { kind: 'zero', offset: 0, length: 101 },
    { kind: 'data', offset: 0, length: 1, device: 1, physicalOffset: 0 },
    { kind: 'data', offset: 0, length: 1, device: 0, physicalOffset: 2 ** 53 - 1 },
  ]
  for (const extent of refused) await assert.rejects(encoded([[extent]], options), RangeError)
  await assert.rejects(encoded([[{ kind: 'zero', offset: 0, length: 101 }]], options), {
    message:
      'Cannot encode zero extent 0+101: image has 100 bytes and 1 devices, ' +
      'inline extents at most 1048576 bytes',
  })
})
