import assert from 'node:assert/strict'
import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { fileImage } from '../../../test/support/bytes-image.ts'
import { needsLoopDevices } from '../../../test/support/requirements.ts'
import { runTool } from '../../../test/support/run-tool.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { usedXfsBlocks } from '../../../test/support/xfs-free-space.ts'
import { whileMounted } from '../../../test/support/xfs-image.ts'
import { openXfs } from './open-xfs.ts'

const VERSION_4 = ['-m', 'crc=0,finobt=0,rmapbt=0,reflink=0,bigtime=0,inobtcount=0', '-i', 'sparse=0']
const MIB = 2 ** 20

type Variant = { readonly words: readonly string[]; readonly sizeBytes?: number }

const VARIANTS: Readonly<Record<string, Variant>> = {
  'as made by default': { words: [] },
  'reverse map and reflink': { words: ['-m', 'rmapbt=1,reflink=1'] },
  'without any tree of version 5': {
    words: ['-m', 'finobt=0,rmapbt=0,reflink=0,bigtime=0,inobtcount=0', '-i', 'sparse=0'],
  },
  'large extent counters': { words: ['-i', 'nrext64=1'] },
  'blocks of 1 KiB': { words: ['-b', 'size=1024'] },
  'blocks of 16 KiB': { words: ['-b', 'size=16384'] },
  'blocks of 64 KiB': { words: ['-b', 'size=65536'] },
  'sectors of 4 KiB': { words: ['-s', 'size=4096'] },
  '23 allocation groups': { words: ['-d', 'agcount=23'], sizeBytes: 3000 * MIB },
  'an allocation group, the last, that is short': {
    words: ['-d', 'agsize=100m'],
    sizeBytes: 317 * MIB + 12_288,
  },
  'a stripe, also of the log': { words: ['-d', 'su=64k,sw=4', '-l', 'su=32k'], sizeBytes: 1000 * MIB },
  'version 4': { words: VERSION_4 },
  'version 4 with blocks of 512 bytes': { words: [...VERSION_4, '-b', 'size=512'] },
  'version 4 with a log of version 1 and no lazy counters': {
    words: [...VERSION_4, '-l', 'version=1,lazy-count=0'],
  },
}

for (const [name, { words, sizeBytes = 400 * MIB }] of Object.entries(VARIANTS)) {
  test(`usedRanges() of a new XFS is what xfs_db says: ${name}`, async () => {
    using folder = temporaryFolder()
    const path = madeXfs(folder.join('xfs.img'), words, sizeBytes)
    await assertUsedBlocks(path)
  })
}

for (const [name, { words, sizeBytes = 400 * MIB }] of Object.entries(VARIANTS)) {
  // Kernels of today may be built without version 4.
  if (words.includes(VERSION_4[1] ?? '')) continue
  test(`usedRanges() of a used XFS is what xfs_db says: ${name}`, { skip: needsLoopDevices() }, async () => {
    using folder = temporaryFolder()
    const path = madeXfs(folder.join('xfs.img'), words, sizeBytes)
    const mount = folder.join('mount')
    whileMounted(path, mount, () => fragment(mount))
    await assertUsedBlocks(path)
  })
}

function madeXfs(path: string, words: readonly string[], sizeBytes: number): string {
  writeFileSync(path, '')
  truncateSync(path, sizeBytes)
  runTool('mkfs.xfs', ['-q', ...words, path])
  return path
}

/** Thousands of small free extents, in two levels of tree where blocks are small. */
function fragment(mount: string): void {
  mkdirSync(`${mount}/folder`)
  for (let index = 0; index < 3000; index += 1) writeFileSync(`${mount}/folder/${index}`, 'x'.repeat(index))
  runTool('sync', ['-f', mount])
  for (let index = 0; index < 3000; index += 2) rmSync(`${mount}/folder/${index}`)
}

async function assertUsedBlocks(path: string): Promise<void> {
  await using image = fileImage(path)
  const fileSystem = await openXfs(image)
  assert.deepEqual(fileSystem.allocation, { proven: true })
  const expected = usedXfsBlocks(path)
  const found = new Uint8Array(expected.length)
  let end = -1
  for await (const batch of fileSystem.usedRanges(new AbortController().signal)) {
    for (const { offset, length } of batch) {
      assert(offset > end && length > 0)
      end = offset + length
      found.fill(1, offset / fileSystem.blockSizeBytes, end / fileSystem.blockSizeBytes)
    }
  }
  const wrong = found.findIndex((isUsed, block) => isUsed !== expected[block])
  assert.equal(wrong, -1, `block ${wrong} is not what xfs_db says`)
  assert.deepEqual(fileSystem.findings, [])
}
