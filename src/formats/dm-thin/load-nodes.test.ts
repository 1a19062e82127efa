import assert from 'node:assert/strict'
import { test } from 'node:test'

import { openImageFile } from '../../../test/support/open-image-file.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { mappingValue, ThinMetadataFile, writeThinMetadata } from '../../../test/support/thin-metadata.ts'
import type { FrozenImage } from '../../domain/frozen-image.ts'
import { differenceOfThinVolumes } from './thin-difference.ts'
import { thinMappings } from './thin-mappings.ts'
import { openThinPool } from './thin-pool.ts'

const BLOCKS = 300_000

/** Runs `use` on a pool with two volumes that share few leaves, over an image that `wrap` makes of the file. */
async function withPool(
  wrap: (image: FrozenImage) => FrozenImage,
  use: (pool: Awaited<ReturnType<typeof openThinPool>>) => Promise<void>,
): Promise<void> {
  using folder = temporaryFolder()
  const path = folder.join('metadata')
  writeThinMetadata(path, {
    dataBlockCount: BLOCKS,
    devices: new Map([[1, [{ begin: 0, data: 0, length: BLOCKS }]]]),
  })
  using file = new ThinMetadataFile(path)
  const changes = Array.from({ length: BLOCKS / 20 }, (_, i) => ({ key: i * 20, value: mappingValue(i) }))
  file.addSnapshot(1, 2, changes)
  using image = openImageFile(path)
  await use(await openThinPool(wrap(image), { snapshot: false }))
}

test('a walk ends with the reason of its signal', async () => {
  await withPool(
    (image) => image,
    async (pool) => {
      const controller = new AbortController()
      const batches = thinMappings({ pool, deviceId: 2 }, null, controller.signal)
      assert.equal((await batches.next()).done, false)
      controller.abort(new Error('enough'))
      await assert.rejects(async () => {
        for await (const { lengths } of batches) assert(lengths.length > 0)
      }, /enough/)
    },
  )
})

test('a walk ends with the failure of a read, of which nobody else hears', async () => {
  let readsLeft = Infinity
  const failing = (image: FrozenImage): FrozenImage => ({
    ...image,
    readInto: (target, offset) => {
      readsLeft -= 1
      return readsLeft < 0 ? Promise.reject(new Error('EIO')) : image.readInto(target, offset)
    },
  })
  await withPool(failing, async (pool) => {
    const { signal } = new AbortController()
    const before = { pool, deviceId: 1 }
    const after = { pool, deviceId: 2 }
    let failureCount = 0
    for (let reads = 0; reads < 60; reads += 3) {
      readsLeft = reads
      try {
        for await (const ranges of differenceOfThinVolumes(before, after, signal)) assert(ranges.length > 0)
      } catch (error) {
        assert.match(String(error), /EIO/)
        failureCount += 1
      }
      // Left early, with a read under way.
      readsLeft = Infinity
      for await (const ranges of differenceOfThinVolumes(before, after, signal)) {
        readsLeft = 0
        assert(ranges.length > 0)
        break
      }
    }
    assert(failureCount > 5, `${failureCount} failures`)
  })
})
