import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { RangeBatch } from '../../src/domain/range.ts'
import { composeExtents } from '../../src/extents/compose-extents.ts'
import { dataRanges } from '../../src/extents/data-ranges.ts'
import { decodeExtents } from '../../src/extents/decode.ts'
import { encodeExtents } from '../../src/extents/encode.ts'
import { ExtentTable } from '../../src/extents/extent-table.ts'
import { intersectRanges } from '../../src/extents/intersect-ranges.ts'
import { fragments } from './fragments.ts'

const COUNT = 10_000_000
const GROWTH_MAX_BYTES = 300 * 2 ** 20
const OPTIONS = { sizeBytes: 2 ** 53 - 1, deviceCount: 1 }

/** 64 KiB of every MiB. */
function* everyMebibyte(): Generator<RangeBatch> {
  for (let start = 0; ; start += 4096) {
    yield Array.from({ length: 4096 }, (_, index) => ({ offset: (start + index) * 2 ** 20, length: 65_536 }))
  }
}

test('ten million extents are composed, encoded, decoded and intersected in bounded memory', async (context) => {
  // Two halves of a device that lie the other way round on the disk.
  const half = 8 * 2 ** 40
  const layer = await ExtentTable.read(
    [
      [
        { kind: 'data', offset: 0, length: half, device: 0, physicalOffset: half },
        { kind: 'data', offset: half, length: half, device: 0, physicalOffset: 0 },
      ],
    ],
    { sizeBytes: 2 * half },
  )
  const before = process.memoryUsage().rss
  const startedAt = performance.now()
  const resolved = composeExtents(fragments({ count: COUNT, holes: false }), [layer])
  const decoded = decodeExtents(encodeExtents(resolved, OPTIONS), OPTIONS)
  let lengthBytes = 0
  let peak = before
  for await (const batch of intersectRanges(dataRanges(decoded), everyMebibyte())) {
    for (const { length } of batch) lengthBytes += length
    peak = Math.max(peak, process.memoryUsage().rss)
  }
  const growthMiB = Math.round((peak - before) / 2 ** 20)
  context.diagnostic(`${Math.round(performance.now() - startedAt)} ms, memory grew by ${growthMiB} MiB`)

  const imageBytes = sizeOfFragments()
  const whole = Math.floor(imageBytes / 2 ** 20) * 65_536
  assert.equal(lengthBytes, whole + Math.min(65_536, imageBytes % 2 ** 20))
  assert(peak - before < GROWTH_MAX_BYTES, `memory grew by ${growthMiB} MiB`)
})

function sizeOfFragments(): number {
  let end = 0
  for (const batch of fragments({ count: COUNT, holes: false })) {
    const last = batch.at(-1)
    if (last !== undefined) end = last.offset + last.length
  }
  return end
}
