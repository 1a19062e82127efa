import assert from 'node:assert/strict'
import { test } from 'node:test'

import { openImageFile, type ImageFile } from '../../../test/support/open-image-file.ts'
import { runTool } from '../../../test/support/run-tool.ts'
import { seededRandomness } from '../../../test/support/seeded-randomness.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import {
  mappingValue,
  ThinMetadataFile,
  writeThinMetadata,
  type Change,
  type ThinRun,
} from '../../../test/support/thin-metadata.ts'
import { thinDelta, thinDump, type BlockRun } from '../../../test/support/thin-oracle.ts'
import type { Extent } from '../../domain/extent.ts'
import type { RangeBatch } from '../../domain/range.ts'
import { listThinDevices } from './thin-devices.ts'
import { differenceOfThinVolumes } from './thin-difference.ts'
import { thinExtents, thinMappings } from './thin-mappings.ts'
import { openThinPool, type ThinPool } from './thin-pool.ts'
import { usedDataRanges } from './thin-used-ranges.ts'

const { signal } = new AbortController()
const LIVE = { snapshot: false }
const HELD = { snapshot: true }

/** Runs of random places and lengths, with gaps and without. */
function randomRuns(seed: number, runCount: number, dataBlockCount: number): ThinRun[] {
  const randomness = seededRandomness(seed)
  let begin = 0
  return Array.from({ length: runCount }, () => {
    begin += randomness.below(3) === 0 ? randomness.below(500) : 0
    const length = 1 + randomness.below(40)
    const run = { begin, data: randomness.below(dataBlockCount - length), length }
    begin += length
    return run
  })
}

async function runsOf(
  pool: ThinPool,
  deviceId: number,
  range: readonly [number, number] | null = null,
): Promise<ThinRun[]> {
  const runs: ThinRun[] = []
  const blocks = range === null ? null : { begin: range[0], end: range[1] }
  for await (const batch of thinMappings({ pool, deviceId }, blocks, signal)) {
    for (const [index, begin] of batch.begins.entries()) {
      runs.push({ begin, data: batch.dataBegins[index] ?? NaN, length: batch.lengths[index] ?? NaN })
    }
  }
  return runs
}

async function blockRuns(batches: AsyncIterable<RangeBatch>, pool: ThinPool): Promise<BlockRun[]> {
  const ranges = (await Array.fromAsync(batches)).flat()
  return ranges.map(({ offset, length }) => ({
    begin: offset / pool.dataBlockBytes,
    length: length / pool.dataBlockBytes,
  }))
}

function difference(pool: ThinPool, [before, after]: readonly [number, number]): Promise<BlockRun[]> {
  const volumes = [
    { pool, deviceId: before },
    { pool, deviceId: after },
  ] as const
  return blockRuns(differenceOfThinVolumes(...volumes, signal), pool)
}

/** Everything that is read of a pool, beside what the tools say of it. */
async function assertAsTools(path: string, image: ImageFile, held = false): Promise<void> {
  const options = held ? ['-m'] : []
  const dump = thinDump(path, options)
  const pool = await openThinPool(image, held ? HELD : LIVE)
  assert.equal(pool.dataBlockBytes, 512 * (dump.attributes['data_block_size'] ?? 0))
  assert.equal(pool.transactionId, dump.attributes['transaction'])
  assert.equal(pool.time, dump.attributes['time'])
  if (!held) assert.equal(pool.dataBlockCount, dump.attributes['nr_data_blocks'])

  const devices = await listThinDevices(pool, signal)
  assert.deepEqual(
    devices.map((device) => ({
      dev_id: device.deviceId,
      mapped_blocks: device.mappedBlockCount,
      transaction: device.transactionId,
      creation_time: device.creationTime,
      snap_time: device.snapshotTime,
    })),
    [...dump.devices.values()].map((device) => device.attributes),
  )
  const used = new Set<number>()
  for (const [deviceId, { runs }] of dump.devices) {
    assert.deepEqual(await runsOf(pool, deviceId), runs)
    for (const { data, length } of runs)
      for (let block = data; block < data + length; block += 1) used.add(block)
  }
  const ranges = await blockRuns(usedDataRanges(pool, signal), pool)
  assert.deepEqual(
    ranges.flatMap((run) => Array.from({ length: run.length }, (_, i) => run.begin + i)),
    [...used].toSorted((a, b) => a - b),
  )
  const ids = [...dump.devices.keys()]
  for (const id of ids) {
    for (const pair of [
      [ids[0] ?? 0, id],
      [id, ids.at(-1) ?? 0],
    ] as const) {
      assert.deepEqual(
        await difference(pool, pair),
        thinDelta(path, pair, options),
        `difference of ${pair.join(' and ')}`,
      )
    }
  }
}

test('a thin pool is what thin_dump, thin_delta and thin_ls say', async () => {
  using folder = temporaryFolder()
  const path = folder.join('metadata')
  writeThinMetadata(path, {
    dataBlockCount: 100_000,
    devices: new Map([
      [1, randomRuns(1, 3000, 100_000)],
      [2, []],
      [5, randomRuns(2, 10, 100_000)],
      [7, [{ begin: 4, data: 9, length: 1 }]],
      // A little of each end of what a volume can have.
      [
        16_777_215,
        [
          { begin: 0, data: 99_999, length: 1 },
          { begin: 2 ** 33, data: 3, length: 7 },
        ],
      ],
    ]),
  })
  using image = openImageFile(path)
  await assertAsTools(path, image)
  const listed = runTool('thin_ls', [
    '--no-headers',
    '-o',
    'DEV,MAPPED_BLOCKS,TRANSACTION,CREATE_TIME,SNAP_TIME',
    path,
  ])
  const devices = await listThinDevices(await openThinPool(image, LIVE), signal)
  assert.deepEqual(
    listed
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/).map(Number)),
    devices.map((device) => [
      device.deviceId,
      device.mappedBlockCount,
      device.transactionId,
      device.creationTime,
      device.snapshotTime,
    ]),
  )
})

/** Changes at random places: mostly new data, sometimes none, sometimes where nothing was. */
function randomChanges(
  seed: number,
  count: number,
  limits: { blocks: number; dataBlocks: number },
): Change[] {
  const randomness = seededRandomness(seed)
  const keys = new Set(Array.from({ length: count }, () => randomness.below(limits.blocks)))
  return [...keys]
    .toSorted((a, b) => a - b)
    .map((key) => ({
      key,
      value: randomness.below(4) === 0 ? null : mappingValue(randomness.below(limits.dataBlocks)),
    }))
}

test('snapshots that share nodes with their origin are what the tools say', async () => {
  using folder = temporaryFolder()
  const path = folder.join('metadata')
  writeThinMetadata(path, {
    dataBlockCount: 500_000,
    devices: new Map([
      [
        1,
        [
          { begin: 0, data: 1000, length: 30_000 },
          { begin: 40_000, data: 40_000, length: 60_000 },
        ],
      ],
      [3, randomRuns(3, 500, 500_000)],
    ]),
  })
  using file = new ThinMetadataFile(path)
  file.addSnapshot(1, 10, [])
  for (const [deviceId, count] of [
    [11, 1],
    [12, 30],
    [13, 1000],
    [14, 20_000],
  ] as const) {
    file.addSnapshot(1, deviceId, randomChanges(deviceId, count, { blocks: 120_000, dataBlocks: 500_000 }))
  }
  // Only new data, in place of old.
  file.addSnapshot(
    13,
    15,
    Array.from({ length: 200 }, (_, i) => ({ key: 41_000 + i * 17, value: mappingValue(i) })),
  )
  // The same data block with another time is the same data.
  file.addSnapshot(1, 16, [{ key: 5, value: mappingValue(1005, 77) }])
  // Nothing is left of it, and much was added to it.
  file.addSnapshot(
    3,
    17,
    Array.from({ length: 60_000 }, (_, key) => ({ key, value: null })),
  )
  file.addSnapshot(
    3,
    18,
    Array.from({ length: 100_000 }, (_, i) => ({ key: 50_000 + i, value: mappingValue(i) })),
  )
  file.addSnapshot(17, 19, [{ key: 7, value: mappingValue(7) }])
  using image = openImageFile(path)
  await assertAsTools(path, image)
  const pool = await openThinPool(image, LIVE)
  assert.deepEqual(await difference(pool, [1, 16]), [])
  // Heights that differ by two, in both orders.
  for (const pair of [
    [19, 18],
    [18, 19],
    [17, 18],
    [11, 19],
  ] as const) {
    assert.deepEqual(await difference(pool, pair), thinDelta(path, pair))
  }
})

test('differenceOfThinVolumes() reads nothing below a node that both have', async () => {
  using folder = temporaryFolder()
  const path = folder.join('metadata')
  writeThinMetadata(path, {
    dataBlockCount: 400_000,
    devices: new Map([[1, [{ begin: 0, data: 0, length: 400_000 }]]]),
  })
  using file = new ThinMetadataFile(path)
  file.addSnapshot(1, 2, [{ key: 123_456, value: mappingValue(7) }])
  file.addSnapshot(1, 3, [])
  using image = openImageFile(path)
  const pool = await openThinPool(image, LIVE)
  image.counts.readBytes = 0
  assert.deepEqual(await difference(pool, [1, 2]), [{ begin: 123_456, length: 1 }])
  // Twice the tree of devices and the left edge, then each level of both trees.
  assert(image.counts.readBytes <= 24 * 4096, `${image.counts.readBytes} bytes`)
  image.counts.readBytes = 0
  assert.deepEqual(await difference(pool, [3, 1]), [])
  assert(image.counts.readBytes <= 16 * 4096, `${image.counts.readBytes} bytes`)
})

test('a tree one level lower may be a child of the other', async () => {
  using folder = temporaryFolder()
  const path = folder.join('metadata')
  writeThinMetadata(path, {
    dataBlockCount: 60_000,
    devices: new Map([
      [1, [{ begin: 0, data: 0, length: 30_000 }]],
      [2, [{ begin: 30_000, data: 30_000, length: 20_000 }]],
    ]),
  })
  using file = new ThinMetadataFile(path)
  const roots = [1, 2].map((deviceId) => file.mappingRoot(deviceId))
  const children = roots.map((block, index) => ({ key: 30_000 * index, value: mappingValue(0, block) }))
  const [root] = file.writeNodes(children, { isLeaf: false, valueBytes: 8 })
  file.setDevice(3, Number(new DataView((root?.value ?? new Uint8Array(8)).buffer).getBigUint64(0, true)))
  using image = openImageFile(path)
  await assertAsTools(path, image)
  const pool = await openThinPool(image, LIVE)
  image.counts.readBytes = 0
  assert.deepEqual(await difference(pool, [3, 1]), [{ begin: 30_000, length: 20_000 }])
})

test('openThinPool() reads the metadata snapshot, whatever came after it', async () => {
  using folder = temporaryFolder()
  const path = folder.join('metadata')
  writeThinMetadata(path, {
    dataBlockCount: 9000,
    devices: new Map([[1, [{ begin: 0, data: 0, length: 3000 }]]]),
  })
  using image = openImageFile(path)
  await assert.rejects(openThinPool(image, HELD), /metadata snapshot of the thin pool: it holds none/)
  using file = new ThinMetadataFile(path)
  file.holdSnapshot()
  file.addSnapshot(1, 2, [{ key: 3, value: mappingValue(8000) }])
  file.addSnapshot(1, 1, [{ key: 4, value: mappingValue(8001) }])
  await assertAsTools(path, image, true)
  const held = await openThinPool(image, HELD)
  const live = await openThinPool(image, LIVE)
  assert.deepEqual(await runsOf(held, 1), [{ begin: 0, data: 0, length: 3000 }])
  assert.equal((await listThinDevices(live, signal)).length, 2)
  // A block that the metadata snapshot alone refers to is not free.
  assert.deepEqual(await blockRuns(usedDataRanges(live, signal), live), [
    { begin: 0, length: 3000 },
    { begin: 8000, length: 2 },
  ])
  const volumes = [
    { pool: held, deviceId: 1 },
    { pool: live, deviceId: 1 },
  ] as const
  assert.deepEqual(await blockRuns(differenceOfThinVolumes(...volumes, signal), live), [
    { begin: 4, length: 1 },
  ])
})

test('thinExtents() covers the range with data and zero', async () => {
  using folder = temporaryFolder()
  const path = folder.join('metadata')
  writeThinMetadata(path, {
    dataBlockSectors: 256,
    dataBlockCount: 100,
    devices: new Map([
      [
        1,
        [
          { begin: 2, data: 50, length: 2 },
          { begin: 4, data: 10, length: 1 },
          { begin: 9, data: 11, length: 1 },
        ],
      ],
    ]),
  })
  using image = openImageFile(path)
  const pool = await openThinPool(image, LIVE)
  const block = 131_072
  const extents = async (offset: number, length: number): Promise<Extent[]> =>
    (await Array.fromAsync(thinExtents({ pool, deviceId: 1 }, { offset, length }, signal))).flat()
  assert.deepEqual(await extents(0, 12 * block), [
    { kind: 'zero', offset: 0, length: 2 * block },
    { kind: 'data', offset: 2 * block, length: 2 * block, device: 0, physicalOffset: 50 * block },
    { kind: 'data', offset: 4 * block, length: block, device: 0, physicalOffset: 10 * block },
    { kind: 'zero', offset: 5 * block, length: 4 * block },
    { kind: 'data', offset: 9 * block, length: block, device: 0, physicalOffset: 11 * block },
    { kind: 'zero', offset: 10 * block, length: 2 * block },
  ])
  assert.deepEqual(await extents(3 * block - 512, block), [
    { kind: 'data', offset: 3 * block - 512, length: block, device: 0, physicalOffset: 51 * block - 512 },
  ])
  assert.deepEqual(await extents(6 * block, 1), [{ kind: 'zero', offset: 6 * block, length: 1 }])
  await assert.rejects(runsOf(pool, 2), /device mapping tree node at byte \d+: device 2 is not there/)
  assert.deepEqual(await runsOf(pool, 1, [3, 5]), [
    { begin: 3, data: 51, length: 1 },
    { begin: 4, data: 10, length: 1 },
  ])
})
