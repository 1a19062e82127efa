// Orphans: inodes that were deleted while open, or that are being made shorter. The kernel's "ext4 Data Structures and
// Algorithms", section "Orphan file"; without one they are a list that begins in the superblock.
import assert from 'node:assert/strict'
import { closeSync, fstatSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { test } from 'node:test'

import { fileImage } from '../../../test/support/bytes-image.ts'
import { dirtyExt4, recoveredByKernel, withoutFolderDetails } from '../../../test/support/dirty-ext4.ts'
import { dumpFreeBlocks, type BlockRange } from '../../../test/support/ext4-free-blocks.ts'
import { readFormatTree, type FileTree, type TreeFile } from '../../../test/support/file-tree.ts'
import { debugExt4, makeExt4 } from '../../../test/support/make-ext4.ts'
import { needsLoopDevices } from '../../../test/support/requirements.ts'
import { runTool } from '../../../test/support/run-tool.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { endOf } from '../../domain/range.ts'
import { complementRanges } from '../../extents/complement-ranges.ts'
import type { FileSystem } from '../file-system.ts'
import { ext4Checksum, littleEndian32 } from './checksum.ts'
import { openExt4 } from './open-ext4.ts'
import { readSuperblock } from './read-superblock.ts'

const BLOCK_SIZE = 4096
const MIB = 1024 * 1024
const FEATURES = ['^orphan_file', 'orphan_file']

/** The free ranges, as block numbers. */
async function freeBlocks(fileSystem: FileSystem): Promise<BlockRange[]> {
  const { signal } = new AbortController()
  const { sizeBytes } = fileSystem
  const free = await Array.fromAsync(complementRanges(fileSystem.usedRanges(signal), { sizeBytes }))
  return free.flat().map((range) => [range.offset / BLOCK_SIZE, endOf(range) / BLOCK_SIZE])
}

function blocksOf(path: string, inode: number): number[] {
  return runTool('debugfs', ['-R', `blocks <${inode}>`, path])
    .trim()
    .split(/\s+/)
    .map(Number)
}

function includes(ranges: readonly BlockRange[], block: number): boolean {
  return ranges.some(([first, end]) => first <= block && block < end)
}

/** A file system that is clean but for orphans: what they hold is in use. */
async function assertBlocksUsed(path: string, orphan: number): Promise<void> {
  await using image = fileImage(path)
  const fileSystem = await openExt4(image)
  assert.deepEqual(fileSystem.allocation, { proven: true })
  const free = await freeBlocks(fileSystem)
  assert.deepEqual(free, dumpFreeBlocks(path, 1, fileSystem.sizeBytes / BLOCK_SIZE))
  const blocks = blocksOf(path, orphan)
  assert(blocks.length > 2)
  for (const block of blocks) {
    assert(!includes(free, block), `block ${block} is free`)
  }
  assert.deepEqual(fileSystem.findings, [])
}

for (const feature of FEATURES) {
  const title = `openExt4() shows what a mount shows of files deleted while they were open, with ${feature}`
  test(title, { skip: needsLoopDevices() }, async () => {
    using folder = temporaryFolder()
    let deleted = 0
    const { path } = dirtyExt4(folder, ['-b', String(BLOCK_SIZE), '-O', feature], (mountPoint) => {
      for (const name of ['kept', 'open']) writeFileSync(`${mountPoint}/${name}`, name.repeat(9000))
      runTool('sync', ['--file-system', mountPoint])
      const file = openSync(`${mountPoint}/open`, 'r')
      deleted = fstatSync(file).ino
      rmSync(`${mountPoint}/open`)
      runTool('sync', ['--file-system', mountPoint])
      return () => closeSync(file)
    })
    await using image = fileImage(path)
    const fileSystem = await openExt4(image)
    assert.deepEqual(fileSystem.allocation, { proven: false, reason: 'its journal needs recovery' })
    const tree = await readFormatTree(fileSystem, image)
    assert(tree.has('/kept') && !tree.has('/open'))
    assert.deepEqual(withoutFolderDetails(tree), withoutFolderDetails(recoveredByKernel(folder, path)))
    await assert.rejects(fileSystem.readNode(deleted), /it is not in use: its link count is 0/)
  })
}

/** Names an inode in the first block of the file of orphans, with the checksum that belongs there. */
async function addToOrphanFile(path: string, orphan: number): Promise<void> {
  await using image = fileImage(path)
  const { superblock } = await readSuperblock(image, () => {})
  const inode = superblock.orphanFileInode
  const [block = 0] = blocksOf(path, inode)
  const bytes = Buffer.alloc(BLOCK_SIZE)
  await image.readInto(bytes, block * BLOCK_SIZE)
  bytes.writeUInt32LE(orphan, 0)
  const number = Buffer.alloc(8)
  number.writeBigUInt64LE(BigInt(block))
  const seeds = [littleEndian32(inode), littleEndian32(0), number, bytes.subarray(0, BLOCK_SIZE - 8)]
  const checksum = seeds.reduce((seed, part) => ext4Checksum(part, seed), superblock.checksumSeed)
  bytes.writeUInt32LE(checksum, BLOCK_SIZE - 4)
  const file = openSync(path, 'r+')
  writeSync(file, bytes, 0, BLOCK_SIZE, block * BLOCK_SIZE)
  closeSync(file)
  debugExt4(path, ['feature orphan_present'])
}

/** What is left of an orphan after a mount: blocks of 4 KiB. */
const ORPHANS = [
  // The size is that of the end; the blocks are still there, as when the machine stopped in between.
  { what: 'is being made shorter', requests: ['set_inode_field file size 5001'], blocksLeft: 2 },
  {
    what: 'was deleted while it was open',
    requests: ['set_inode_field file links_count 0', 'unlink file'],
    blocksLeft: 0,
  },
]

for (const feature of FEATURES) {
  for (const { what, requests, blocksLeft } of ORPHANS) {
    const title = `openExt4() shows what a mount shows, and holds all in use, when a file ${what}, with ${feature}`
    test(title, { skip: needsLoopDevices() }, async () => {
      using folder = temporaryFolder()
      const path = folder.join('image')
      const words = ['-t', 'ext4', '-b', String(BLOCK_SIZE), '-O', feature]
      makeExt4(path, { sizeBytes: 64 * MIB, words })
      writeFileSync(folder.join('content'), 'content '.repeat(5000))
      debugExt4(path, [`write ${folder.join('content')} file`, `write ${folder.join('content')} other`])
      const orphan = Number(/Inode: (\d+)/.exec(runTool('debugfs', ['-R', 'stat file', path]))?.[1])
      debugExt4(path, requests)
      if (feature === 'orphan_file') await addToOrphanFile(path, orphan)
      else debugExt4(path, [`set_super_value last_orphan ${orphan}`])
      await assertBlocksUsed(path, orphan)
      await using image = fileImage(path)
      const found = withoutTimes(await readFormatTree(await openExt4(image), image))
      assert.deepEqual(found, withoutTimes(recoveredByKernel(folder, path)))
      assert.equal(found['/file']?.sizeBytes, blocksLeft === 0 ? undefined : 5001)
      // The mount did know it as an orphan: it gave up what is nobody's.
      const free = dumpFreeBlocks(folder.join('recovered'), 1, (64 * MIB) / BLOCK_SIZE)
      const left = blocksOf(path, orphan).filter((block) => !includes(free, block))
      assert.equal(left.length, blocksLeft)
    })
  }
}

/** Without the times at which the mount made the file shorter. */
function withoutTimes(tree: FileTree): Record<string, Partial<TreeFile>> {
  const files = Object.entries(withoutFolderDetails(tree))
  return Object.fromEntries(files.map(([path, file]) => [path, { ...file, times: [] }]))
}
