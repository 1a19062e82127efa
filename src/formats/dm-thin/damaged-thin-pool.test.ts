import assert from 'node:assert/strict'
import { copyFileSync } from 'node:fs'
import { test } from 'node:test'

import { openImageFile, type ImageFile } from '../../../test/support/open-image-file.ts'
import { seededRandomness } from '../../../test/support/seeded-randomness.ts'
import { temporaryFolder, type TemporaryFolder } from '../../../test/support/temporary-folder.ts'
import { mappingValue, ThinMetadataFile, writeThinMetadata } from '../../../test/support/thin-metadata.ts'
import { FormatError, UnmappedError } from '../format-error.ts'
import { listThinDevices } from './thin-devices.ts'
import { differenceOfThinVolumes } from './thin-difference.ts'
import { thinMappings } from './thin-mappings.ts'
import { openThinPool } from './thin-pool.ts'
import { usedDataRanges } from './thin-used-ranges.ts'

const { signal } = new AbortController()
const DATA_BLOCKS = 20_000

/** Two volumes that share most of their leaves, and a metadata snapshot. */
function writeSample(folder: TemporaryFolder): string {
  const path = folder.join('sample')
  writeThinMetadata(path, {
    dataBlockCount: DATA_BLOCKS,
    devices: new Map([[1, [{ begin: 0, data: 0, length: 2000 }]]]),
  })
  using file = new ThinMetadataFile(path)
  file.addSnapshot(1, 2, [{ key: 700, value: mappingValue(9000) }])
  file.holdSnapshot()
  return path
}

/** Reads everything there is, and returns how many mappings there are. */
async function readAll(image: ImageFile): Promise<number> {
  const pool = await openThinPool(image, { snapshot: false })
  let count = 0
  for (const { deviceId } of await listThinDevices(pool, signal)) {
    for await (const { lengths } of thinMappings({ pool, deviceId }, null, signal)) {
      for (const length of lengths) count += length
    }
  }
  for await (const ranges of usedDataRanges(pool, signal)) assert(ranges.length > 0)
  const volumes = [1, 2].map((deviceId) => ({ pool, deviceId }))
  const [before, after] = volumes
  if (before === undefined || after === undefined) return count
  for await (const ranges of differenceOfThinVolumes(before, after, signal)) assert(ranges.length > 0)
  return count
}

type Damage = (file: ThinMetadataFile, view: { root: number; leaf: number; second: number }) => void

/** Damages a copy of the sample, and returns what is said of it. */
async function messageOf(path: string, damage: Damage): Promise<string> {
  const copy = `${path}.damaged`
  copyFileSync(path, copy)
  using file = new ThinMetadataFile(copy)
  const root = file.mappingRoot(1)
  const [leaf = 0, second = 0] = file
    .readNode(root)
    .entries.map(({ value }) => Number(new DataView(value.buffer).getBigUint64(0, true)))
  damage(file, { root, leaf, second })
  using image = openImageFile(copy)
  try {
    await readAll(image)
  } catch (error) {
    assert(error instanceof FormatError || error instanceof UnmappedError, String(error))
    return error.message.replace(/byte \d+/, 'byte N')
  }
  return 'nothing'
}

function u32(offset: number, value: number) {
  return (view: DataView): void => view.setUint32(offset, value, true)
}

function u64(offset: number, value: bigint) {
  return (view: DataView): void => view.setBigUint64(offset, value, true)
}

test('a damaged node is named, with what was found and what is expected', async () => {
  using folder = temporaryFolder()
  const path = writeSample(folder)
  const node = 'Cannot read thin pool mapping tree node at byte N: '
  const cases: readonly (readonly [Damage, string])[] = [
    [() => undefined, 'nothing'],
    [(file, { leaf }) => file.damageNode(leaf, u64(8, 5n)), /block number is 5, expected \d+/.source],
    [(file, { second }) => file.damageNode(second, u32(4, 1)), 'flags are 0x1, expected 2'],
    [(file, { root }) => file.damageNode(root, u32(4, 0)), 'flags are 0x0, expected 1'],
    [
      (file, { leaf }) => file.damageNode(leaf, u32(16, 0xffffffff)),
      'it has 4294967295 entries, expected at most 252',
    ],
    [
      (file, { leaf }) => file.damageNode(leaf, u32(20, 300)),
      'room is for 300 entries, expected at most 254',
    ],
    [(file, { leaf }) => file.damageNode(leaf, u32(24, 24)), 'value size is 24, expected 8'],
    [
      (file, { root }) => file.damageNode(root, u32(16, 0)),
      'it has 0 entries, expected some in an inner node',
    ],
    [
      (file, { second }) => file.damageNode(second, u64(40, 1n)),
      'key 1 is 1, expected at least 127 and below 252',
    ],
    [
      (file, { leaf }) => file.damageNode(leaf, u64(32, 2n ** 63n)),
      'key 0 is 9223372036854776000, expected at least 0 and below 126',
    ],
    [
      (file, { leaf }) => file.damageNode(leaf, u64(32 + 252 * 8, 20_000n << 24n)),
      'mapping 0 is to data block 20000, expected one below 20000',
    ],
    // A node as its own child, and as its parent's sibling.
    [
      (file, { root }) => file.damageNode(root, u64(32 + 252 * 8, BigInt(root))),
      'key 1 is 126, expected at least 1 and below 126',
    ],
    [
      (file, { root, leaf }) => file.damageNode(root, u64(40 + 252 * 8, BigInt(leaf))),
      'key 0 is 0, expected at least 126 and below 252',
    ],
    [
      (file, { root }) => file.damageNode(root, u64(40 + 252 * 8, 2n ** 60n)),
      'it lies at block 1152921504606847000, expected one below 8192',
    ],
  ]
  for (const [damage, expected] of cases) {
    const message = await messageOf(path, damage)
    const pattern = expected === 'nothing' ? /^nothing$/ : new RegExp(`^${node}(${expected})$`)
    assert.match(message, pattern)
  }
})

test('a damaged superblock is named, with what was found and what is expected', async () => {
  using folder = temporaryFolder()
  const path = writeSample(folder)
  const cases: readonly (readonly [(view: DataView) => void, RegExp])[] = [
    [(view) => view.setUint32(32, 5, true), /superblock at byte N: magic is 5, expected 27022010/],
    [(view) => view.setUint32(40, 3, true), /version is 3, expected 1 or 2/],
    [(view) => view.setBigUint64(8, 1n, true), /block number is 1, expected 0/],
    [
      (view) => view.setUint32(336, 100, true),
      /data block size is 100 sectors, expected a multiple of 128 up to 2097152/,
    ],
    [(view) => view.setUint32(340, 16, true), /metadata block size is 16 sectors, expected 8/],
    [(view) => view.setUint32(360, 1, true), /incompatible features are 0x1, expected none/],
    [(view) => view.setBigUint64(64, 2n ** 60n, true), /field "dataBlockCount"/],
    [
      (view) => view.setBigUint64(64, 2n ** 50n, true),
      /the data volume has \d+ bytes, expected less than 2\^53/,
    ],
    [(view) => view.setBigUint64(320, 0n, true), /device mapping tree node at byte N: checksum is/],
    [
      (view) => view.setBigUint64(328, 2n ** 50n, true),
      /device details tree node at byte N: it lies at block/,
    ],
  ]
  for (const [change, expected] of cases) {
    assert.match(await messageOf(path, (file) => file.changeSuperblock(change)), expected)
  }
})

test('openThinPool() says that a pool needs a check, and proves nothing free then', async () => {
  using folder = temporaryFolder()
  const path = writeSample(folder)
  using file = new ThinMetadataFile(path)
  file.changeSuperblock((view) => view.setUint32(4, 1, true))
  using image = openImageFile(path)
  const pool = await openThinPool(image, { snapshot: false })
  assert.equal(pool.needsCheck, true)
  assert.deepEqual(pool.allocation, { proven: false, reason: 'its thin pool needs a check' })
  assert.deepEqual(pool.findings, [
    {
      structure: 'thin pool superblock',
      offsetBytes: 0,
      found: 'flag needs_check is set, expected a pool that needs no check',
    },
  ])
  const everything = [{ offset: 0, length: DATA_BLOCKS * 65_536 }]
  assert.deepEqual((await Array.fromAsync(usedDataRanges(pool, signal))).flat(), everything)
  assert.equal(await readAll(image), 4000)
})

test('a damaged metadata snapshot is a finding, and an error to who asks for it', async () => {
  using folder = temporaryFolder()
  const path = writeSample(folder)
  using file = new ThinMetadataFile(path)
  file.changeSuperblock((view) => view.setBigUint64(56, 3n, true))
  using image = openImageFile(path)
  const pool = await openThinPool(image, { snapshot: false })
  assert.equal(pool.findings.length, 1)
  assert.deepEqual(pool.allocation, {
    proven: false,
    reason: 'the metadata snapshot of its thin pool cannot be read',
  })
  await assert.rejects(openThinPool(image, { snapshot: true }), FormatError)
})

test('listThinDevices() finds a device that only one of the trees names', async () => {
  using folder = temporaryFolder()
  const path = writeSample(folder)
  using file = new ThinMetadataFile(path)
  using image = openImageFile(path)
  const { mappingRoot, detailsRoot } = (await openThinPool(image, { snapshot: false })).roots
  const mappings = file.changeTree(mappingRoot, [{ key: 8, value: mappingValue(0, file.mappingRoot(1)) }], 8)
  const details = file.changeTree(detailsRoot, [{ key: 9, value: new Uint8Array(24) }], 24)
  file.changeSuperblock((view) => {
    view.setBigUint64(320, BigInt(mappings), true)
    view.setBigUint64(328, BigInt(details), true)
  })
  const pool = await openThinPool(image, { snapshot: false })
  const devices = await listThinDevices(pool, signal)
  assert.deepEqual(
    devices.map(({ deviceId }) => deviceId),
    [1, 2, 9],
  )
  assert.deepEqual(
    pool.findings.map(({ found }) => found),
    ['device 8 has mappings, and no details', 'device 9 has details, and no mapping tree'],
  )
})

test('no damage whose checksum fits makes a reader hang, crash or read outside', async () => {
  using folder = temporaryFolder()
  const path = writeSample(folder)
  using file = new ThinMetadataFile(path)
  const randomness = seededRandomness(Number(process.env['ICECORE_TEST_SEED'] ?? 7))
  const root = file.mappingRoot(1)
  using image = openImageFile(path)
  const { roots } = await openThinPool(image, { snapshot: false })
  const blocks = [
    root,
    root,
    roots.mappingRoot,
    roots.detailsRoot,
    file.mappingRoot(2),
    root + 1,
    root + 5,
    0,
  ]
  const values = [0, 1, 2, 3, 8, 24, 126, 252, 253, root, root + 1, 8191, 8192, 2 ** 31, 2 ** 32 - 1]
  let soundCount = 0
  for (let round = 0; round < 1000; round += 1) {
    const block = blocks[randomness.below(blocks.length)] ?? 0
    const before = file.readBlock(block)
    const change = (view: DataView): void => {
      // Headers and the first entries more often than the rest.
      const offset = 4 * (1 + randomness.below(randomness.below(2) === 0 ? 12 : 1023))
      view.setUint32(offset, values[randomness.below(values.length)] ?? 0, true)
    }
    if (block === 0) file.changeSuperblock(change)
    else file.damageNode(block, change)
    try {
      await readAll(image)
      soundCount += 1
    } catch (error) {
      assert(error instanceof FormatError || error instanceof UnmappedError, String(error))
    }
    file.restoreBlock(block, before)
  }
  assert(soundCount > 0 && soundCount < 1000)
  assert.equal(await readAll(image), 4000)
})
