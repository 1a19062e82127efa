import assert from 'node:assert/strict'
import { closeSync, mkdirSync, openSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { test } from 'node:test'

import { fileImage } from '../../../test/support/bytes-image.ts'
import { runTool } from '../../../test/support/run-tool.ts'
import { temporaryFolder, type TemporaryFolder } from '../../../test/support/temporary-folder.ts'
import type { Extent } from '../../domain/extent.ts'
import { sliceExtents } from '../../extents/slice-extents.ts'
import type { FileNode, FileSystem } from '../file-system.ts'
import { resolvePath } from '../resolve-path.ts'
import { openExt4 } from './open-ext4.ts'

const BLOCK_SIZE = 1024
const { signal } = new AbortController()

for (const format of ['ext2', 'ext4']) {
  test(`contentExtents() gives the blocks that debugfs shows of a fragmented file of ${format}`, async () => {
    using folder = temporaryFolder()
    const path = makeImage(folder, ['-t', format])
    const shown = shownBlocks(path)
    await using image = fileImage(path)
    const { fileSystem, node } = await openFile(await openExt4(image))
    const extents = await mapOf(fileSystem, node, { offset: 0, length: node.sizeBytes })
    assert.deepEqual(blocksOf(extents), shown)
    assert.equal(
      extents.reduce((sum, { length }) => sum + length, 0),
      node.sizeBytes,
    )
  })

  test(`contentExtents() gives of a part what it gives of the whole, of ${format}`, async () => {
    using folder = temporaryFolder()
    const path = makeImage(folder, ['-t', format])
    await using image = fileImage(path)
    const { fileSystem, node } = await openFile(await openExt4(image))
    const whole = await mapOf(fileSystem, node, { offset: 0, length: node.sizeBytes })
    for (let index = 0; index < 200; index += 1) {
      // Primes: parts begin and end anywhere in blocks and in nodes.
      const offset = (index * 1_299_709) % node.sizeBytes
      const length = Math.min(node.sizeBytes - offset, 1 + ((index * 7919 * index) % 300_000))
      const part = await mapOf(fileSystem, node, { offset, length })
      const sliced = (await Array.fromAsync(sliceExtents([whole], { offset, length }))).flat()
      assert.deepEqual(
        part.map((extent) => ({ ...extent, offset: extent.offset - offset })),
        sliced,
      )
    }
  })
}

test('contentExtents() follows a tree that was cut by debugfs', async () => {
  using folder = temporaryFolder()
  const path = makeImage(folder, ['-t', 'ext4'])
  const requests = ['punch file 0 3', 'punch file 100 900', 'punch file 1501 1700', 'punch file 2900 2990']
  runTool('debugfs', ['-w', '-f', '-', path], { input: requests.join('\n') })
  const shown = shownBlocks(path)
  await using image = fileImage(path)
  const { fileSystem, node } = await openFile(await openExt4(image))
  const extents = await mapOf(fileSystem, node, { offset: 0, length: node.sizeBytes })
  assert.deepEqual(blocksOf(extents), shown)
  assert.deepEqual(extents[0], { kind: 'zero', offset: 0, length: 8 * BLOCK_SIZE })
})

test('contentExtents() shows unwritten blocks as zeros', async () => {
  using folder = temporaryFolder()
  const path = makeImage(folder, ['-t', 'ext4'])
  // debugfs allocates without writing.
  runTool('debugfs', ['-w', '-f', '-', path], { input: 'fallocate file 10 30\n' })
  assert.match(runTool('debugfs', ['-R', 'ex file', path]), /Uninit/)
  await using image = fileImage(path)
  const { fileSystem, node } = await openFile(await openExt4(image))
  const extents = await mapOf(fileSystem, node, { offset: 11 * BLOCK_SIZE, length: BLOCK_SIZE })
  assert.deepEqual(extents, [{ kind: 'zero', offset: 11 * BLOCK_SIZE, length: BLOCK_SIZE }])
})

test('contentExtents() refuses an extent node whose checksum does not fit', async () => {
  using folder = temporaryFolder()
  const path = makeImage(folder, ['-t', 'ext4'])
  const leaf = /\(ETB0\):(\d+)/.exec(runTool('debugfs', ['-R', 'stat file', path]))?.[1]
  assert(leaf !== undefined)
  const file = openSync(path, 'r+')
  writeSync(file, Uint8Array.of(7), 0, 1, Number(leaf) * BLOCK_SIZE + 20)
  closeSync(file)
  await using image = fileImage(path)
  const { fileSystem, node } = await openFile(await openExt4(image))
  await assert.rejects(mapOf(fileSystem, node, { offset: 0, length: node.sizeBytes }), {
    name: 'FormatError',
    structure: `extent node of ext4 inode ${node.number}`,
    message: /checksum is 0x[0-9a-f]+, expected 0x/,
  })
})

/** An image with a file of 3,000 fragments: extents in three levels, pointers in three. */
function makeImage(folder: TemporaryFolder, words: readonly string[]): string {
  const source = folder.join('tree')
  mkdirSync(source)
  const file = openSync(`${source}/file`, 'w')

  for (let index = 0; index < 3000; index += 1) writeSync(file, 'x'.repeat(700), index * 8192 + 1)
  closeSync(file)
  truncateSync(`${source}/file`, 3000 * 8192 + 100)
  const path = folder.join('image')
  writeFileSync(path, '')
  truncateSync(path, 64 * 1024 * 1024)
  runTool('mke2fs', ['-q', '-F', '-b', String(BLOCK_SIZE), ...words, '-d', source, path])
  return path
}

async function openFile(
  fileSystem: FileSystem,
): Promise<{ readonly fileSystem: FileSystem; readonly node: FileNode }> {
  const node = await resolvePath(fileSystem, Buffer.from('file'), signal)
  assert(node !== null)
  return { fileSystem, node }
}

async function mapOf(
  fileSystem: FileSystem,
  node: FileNode,
  range: { readonly offset: number; readonly length: number },
): Promise<readonly Extent[]> {
  return (await Array.fromAsync(fileSystem.fileExtents(node, range, signal))).flat()
}

/** Pairs of a block of the file and the block of the volume. */
function blocksOf(extents: readonly Extent[]): readonly (readonly number[])[] {
  return extents.flatMap((extent) => {
    if (extent.kind !== 'data') return []
    const count = Math.ceil(extent.length / BLOCK_SIZE)
    const pairs = Array.from({ length: count }, (_, index) => index * BLOCK_SIZE)
    return pairs.map((at) => [(extent.offset + at) / BLOCK_SIZE, (extent.physicalOffset + at) / BLOCK_SIZE])
  })
}

/** The same from debugfs: `(0-2):100-102, (IND):103`, blocks of the tree among those of the file. */
function shownBlocks(path: string): readonly (readonly number[])[] {
  const text = runTool('debugfs', ['-R', 'stat file', path])
  return [...text.matchAll(/\((\d+)(?:-(\d+))?\):(\d+)/g)].flatMap(([, start, end, block]) => {
    const count = end === undefined ? 1 : Number(end) - Number(start) + 1
    return Array.from({ length: count }, (_, index) => [Number(start) + index, Number(block) + index])
  })
}
