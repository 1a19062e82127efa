import assert from 'node:assert/strict'
import { test } from 'node:test'

import { openImageFile } from '../../../test/support/open-image-file.ts'
import { runTool } from '../../../test/support/run-tool.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { mappingValue, ThinMetadataFile, writeThinMetadata } from '../../../test/support/thin-metadata.ts'
import { liveMappingMark, mappingMark, MappingMarks, MarkNodes } from './mapping-mark.ts'
import { openThinPool } from './thin-pool.ts'

const { signal } = new AbortController()
const DATA_BLOCKS = 50_000

async function markOf(path: string, deviceId: number, snapshot = false): Promise<string> {
  using image = openImageFile(path)
  const pool = await openThinPool(image, { snapshot })
  const mark = await mappingMark({ pool, deviceId }, MarkNodes.Many, signal)
  if (!snapshot) assert.equal(await liveMappingMark({ image, deviceId }, MarkNodes.Many, signal), mark)
  return mark
}

function metadataWith(path: string, blocks: number): void {
  const runs = [{ begin: 0, data: 0, length: blocks }]
  writeThinMetadata(path, { dataBlockCount: DATA_BLOCKS, devices: new Map([[1, runs]]) })
}

test('mappingMark() of a snapshot stays, whatever is written to its origin and to others', async () => {
  using folder = temporaryFolder()
  const path = folder.join('metadata')
  metadataWith(path, 3000)
  using file = new ThinMetadataFile(path)
  file.addSnapshot(1, 2, [])
  const mark = await markOf(path, 2)
  file.holdSnapshot()
  file.addSnapshot(1, 1, [{ key: 5, value: mappingValue(9000) }])
  file.addSnapshot(1, 3, [{ key: 6, value: null }])
  assert.equal(await markOf(path, 2), mark)
  assert.equal(await markOf(path, 2, true), mark)
  assert.notEqual(await markOf(path, 1), mark)
})

test('mappingMark() is another for other mappings, in trees of one level and of several', async () => {
  using folder = temporaryFolder()
  for (const blocks of [1, 200, 3000, 40_000]) {
    const path = folder.join(`metadata-${blocks}`)
    metadataWith(path, blocks)
    using file = new ThinMetadataFile(path)
    const before = await markOf(path, 1)
    file.addSnapshot(1, 1, [{ key: blocks - 1, value: mappingValue(45_000) }])
    assert.notEqual(await markOf(path, 1), before, `${blocks} blocks`)
  }
})

test('mappingMark() is another after thin_repair, and after a second one that loses a mapping', async () => {
  using folder = temporaryFolder()
  const [path, first, second] = [folder.join('metadata'), folder.join('first'), folder.join('second')]
  metadataWith(path, 3000)
  for (const repaired of [first, second]) metadataWith(repaired, 1)
  {
    // What the kernel writes goes to other blocks than a tool's, which begins at the first.
    using file = new ThinMetadataFile(path)
    file.addSnapshot(1, 1, [{ key: 7, value: mappingValue(9000) }])
  }
  const before = await markOf(path, 1)
  runTool('thin_repair', ['-i', path, '-o', first])
  const repaired = await markOf(first, 1)
  assert.notEqual(repaired, before)
  {
    using file = new ThinMetadataFile(first)
    file.addSnapshot(1, 1, [{ key: 1500, value: mappingValue(9001) }])
  }
  runTool('thin_repair', ['-i', first, '-o', second])
  // The roots of both lie at one place.
  assert.equal((await markOf(second, 1)).split('-')[0], repaired.split('-')[0])
  assert.notEqual(await markOf(second, 1), repaired)
})

test('mappingMark() reads no more of a large tree than of a small one', async () => {
  using folder = temporaryFolder()
  const path = folder.join('metadata')
  const runs = [{ begin: 0, data: 0, length: 400_000 }]
  writeThinMetadata(path, { dataBlockCount: 400_000, devices: new Map([[1, runs]]) })
  using image = openImageFile(path)
  const pool = await openThinPool(image, { snapshot: false })
  for (const nodeCountMax of [MarkNodes.Few, MarkNodes.Many]) {
    image.counts.readBytes = 0
    const mark = await mappingMark({ pool, deviceId: 1 }, nodeCountMax, signal)
    assert.ok(Number(mark.split('-')[1]) <= nodeCountMax, mark)
    // Beside them the tree of devices, and the left edge.
    assert.ok(image.counts.readBytes <= (nodeCountMax + 8) * 4096, `${image.counts.readBytes} bytes`)
  }
})

test('MappingMarks reads nodes that volumes share once, and is right of each volume', async () => {
  using folder = temporaryFolder()
  const path = folder.join('metadata')
  metadataWith(path, 40_000)
  using file = new ThinMetadataFile(path)
  file.addSnapshot(1, 2, [])
  file.addSnapshot(1, 3, [{ key: 6, value: null }])
  using image = openImageFile(path)
  const pool = await openThinPool(image, { snapshot: false })
  const marks = new MappingMarks(pool, signal)
  const expected = await Promise.all([1, 2, 3].map((deviceId) => markOf(path, deviceId)))
  assert.equal(await marks.of(1, MarkNodes.Many), expected[0])
  image.counts.readBytes = 0
  assert.equal(await marks.of(2, MarkNodes.Many), expected[1])
  // The tree of devices, and the left edge: none of the many.
  assert.ok(image.counts.readBytes <= 8 * 4096, `${image.counts.readBytes} bytes`)
  image.counts.readBytes = 0
  assert.equal(await marks.of(3, MarkNodes.Many), expected[2])
  // Those on the way to what differs, beside them.
  assert.ok(image.counts.readBytes <= 16 * 4096, `${image.counts.readBytes} bytes`)
  assert.notEqual(expected[2], expected[0])
})

test('liveMappingMark() is null for a volume that is not there, and for what is no pool', async () => {
  using folder = temporaryFolder()
  const path = folder.join('metadata')
  metadataWith(path, 10)
  using image = openImageFile(path)
  assert.equal(await liveMappingMark({ image, deviceId: 2 }, MarkNodes.Few, signal), null)
  using file = new ThinMetadataFile(path)
  file.changeSuperblock((view) => view.setUint8(32, 0))
  assert.equal(await liveMappingMark({ image, deviceId: 1 }, MarkNodes.Few, signal), null)
})

test('liveMappingMark() is null when the metadata changes while it is read', async () => {
  using folder = temporaryFolder()
  const path = folder.join('metadata')
  metadataWith(path, 3000)
  using file = new ThinMetadataFile(path)
  using image = openImageFile(path)
  let reads = 0
  const changing: typeof image = {
    ...image,
    readInto: async (target, offset) => {
      await image.readInto(target, offset)
      reads += 1
      if (reads === 2) file.addSnapshot(1, 9, [])
    },
  }
  assert.equal(await liveMappingMark({ image: changing, deviceId: 1 }, MarkNodes.Few, signal), null)
  assert.notEqual(await liveMappingMark({ image: changing, deviceId: 1 }, MarkNodes.Few, signal), null)
})
