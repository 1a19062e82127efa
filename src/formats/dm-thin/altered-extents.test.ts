import assert from 'node:assert/strict'
import { test } from 'node:test'

import { openImageFile } from '../../../test/support/open-image-file.ts'
import { seededRandomness } from '../../../test/support/seeded-randomness.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { writeThinMetadata, type ThinRun } from '../../../test/support/thin-metadata.ts'
import type { Extent, ExtentBatch } from '../../domain/extent.ts'
import { ExtentTable } from '../../extents/extent-table.ts'
import { intersectRanges } from '../../extents/intersect-ranges.ts'
import { RangeTable } from '../../extents/range-table.ts'
import { replaceExtents } from '../../extents/replace-extents.ts'
import { alteredExtents } from './altered-extents.ts'
import { differenceOfThinVolumes } from './thin-difference.ts'
import { thinExtents } from './thin-mappings.ts'
import { openThinPool } from './thin-pool.ts'

const { signal } = new AbortController()
const BLOCKS = 20_000
const DATA_BLOCKS = 1_000_000

/** Where each block of a volume lies; null where it is not mapped. */
type Places = (number | null)[]

function randomPlaces(seed: number): Places {
  const randomness = seededRandomness(seed)
  const below = (limit: number): number => randomness.below(limit)
  const places: Places = []
  while (places.length < BLOCKS) {
    const data = below(4) === 0 ? null : below(DATA_BLOCKS - 200)
    const length = 1 + below(100)
    for (let index = 0; index < length; index += 1) places.push(data === null ? null : data + index)
  }
  return places.slice(0, BLOCKS)
}

/** The same, but for `count` runs of up to `length` blocks. */
function changedPlaces(places: Places, change: { seed: number; count: number; length: number }): Places {
  const randomness = seededRandomness(change.seed)
  const below = (limit: number): number => randomness.below(limit)
  const changed = [...places]
  for (let index = 0; index < change.count; index += 1) {
    const begin = below(BLOCKS - change.length)
    const data = below(3) === 0 ? null : below(DATA_BLOCKS - 200)
    const end = begin + 1 + below(change.length)
    for (let block = begin; block < end; block += 1)
      changed[block] = data === null ? null : data + block - begin
  }
  return changed
}

function runsOf(places: Places): ThinRun[] {
  return places.flatMap((data, begin) => (data === null ? [] : [{ begin, data, length: 1 }]))
}

async function tableOf(map: AsyncIterable<ExtentBatch>, sizeBytes: number): Promise<readonly Extent[]> {
  const table = await ExtentTable.read(map, { sizeBytes })
  return [...table.extentsIn({ offset: 0, length: sizeBytes })]
}

for (const [name, count, length] of [
  ['nothing', 0, 1],
  ['one run', 1, 50],
  ['a few runs', 12, 100],
  ['many blocks', 900, 1],
] as const) {
  test(`alteredExtents() makes the map of one volume that of another that differs in ${name}`, async () => {
    using folder = temporaryFolder()
    for (const seed of [1, 2, 3]) {
      const path = folder.join(`metadata-${seed}`)
      const before = randomPlaces(seed)
      const after = changedPlaces(before, { seed: seed + 100, count, length })
      writeThinMetadata(path, {
        dataBlockCount: DATA_BLOCKS,
        devices: new Map([
          [1, runsOf(before)],
          [2, runsOf(after)],
        ]),
      })
      await using image = openImageFile(path)
      const pool = await openThinPool(image, { snapshot: false })
      // The last block is one that the volume has not got wholly.
      const sizeBytes = BLOCKS * pool.dataBlockBytes - 4096
      const [old, now] = [1, 2].map((deviceId) => ({ pool, deviceId }))
      assert.ok(old !== undefined && now !== undefined)
      const whole = { offset: 0, length: sizeBytes }
      const changes = await Array.fromAsync(differenceOfThinVolumes(old, now, signal))
      const within = await RangeTable.read(intersectRanges(changes, [[whole]]))
      const altered = await Array.fromAsync(alteredExtents(now, within.batches(), signal))
      assert.deepEqual(
        await tableOf(replaceExtents(thinExtents(old, whole, signal), altered), sizeBytes),
        await tableOf(thinExtents(now, whole, signal), sizeBytes),
      )
      if (count === 0) assert.deepEqual(altered, [])
    }
  })
}
