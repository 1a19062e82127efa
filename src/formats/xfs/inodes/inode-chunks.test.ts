import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { fileImage } from '../../../../test/support/bytes-image.ts'
import { needsLoopDevices } from '../../../../test/support/requirements.ts'
import { runTool } from '../../../../test/support/run-tool.ts'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { whileMounted, writeXfsImage, XFS_SIZE_BYTES_MIN } from '../../../../test/support/xfs-image.ts'
import { cachedImage } from '../../../images/cached-image.ts'
import type { Finding } from '../../finding.ts'
import { readSuperblock } from '../read-superblock.ts'
import type { XfsVolume } from '../volume.ts'
import { inodeChunks } from './inode-chunks.ts'

/** First inode, inodes, free inodes and mask of what is not in use, as xfs_db prints the records of an AG's tree. */
function chunksOfXfsDb(image: string, agNumber: number): readonly string[] {
  const words = ['-f', '-r', '-c', `agi ${agNumber}`, '-c', 'addr root', '-c', 'btdump', image]
  const records = runTool('xfs_db', words).matchAll(/\[(\d+),(\w+),(\d+),(\d+),(?:0x)?([0-9a-f]+)\]/gu)
  return [...records].map(([, first, , count, free, mask = '']) =>
    [first, count, free, mask.padStart(16, '0')].join(' '),
  )
}

async function chunksRead(volume: XfsVolume, agNumber: number): Promise<readonly string[]> {
  const chunks: string[] = []
  for await (const batch of inodeChunks(volume, agNumber)) {
    for (const { firstInode, inodeCount, freeCount, inUse } of batch) {
      const mask = inUse.reduce((sum, isInUse, index) => sum | (isInUse ? 0n : 1n << BigInt(index)), 0n)
      chunks.push([firstInode, inodeCount, freeCount, mask.toString(16).padStart(16, '0')].join(' '))
    }
  }
  return chunks
}

/** Many inodes, some of them in what room was left between the pieces of a file: chunks that are not whole. */
function fill(root: string): void {
  mkdirSync(join(root, 'first'))
  for (let number = 0; number < 3000; number += 1) writeFileSync(join(root, 'first', `${number}`), '')
  const large = join(root, 'large')
  runTool('fallocate', ['--length', '160MiB', large])
  // Nothing else may be free, not even what is kept back for the superuser.
  runTool('xfs_io', ['-x', '-c', 'resblks 0', root])
  for (let length = 64 * 1024 * 1024; length >= 4096; length /= 2) {
    runTool('fallocate', ['--length', String(length), join(root, `rest-${length}`)], {
      allowedExitCodes: [0, 1],
    })
  }
  const punches = Array.from({ length: 2000 }, (_, index) => `fpunch ${index * 65_536} 28672`)
  runTool('xfs_io', [...punches.flatMap((punch) => ['-c', punch]), large])
  // New directories go to the AGs in turn, and files beside them.
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) {
    mkdirSync(join(root, name))
    for (let number = 0; number < 2000; number += 1) writeFileSync(join(root, name, `${number}`), '')
  }
  for (let number = 0; number < 3000; number += 3) rmSync(join(root, 'first', `${number}`))
}

test('inodeChunks() has what xfs_db has, of sparse chunks too', { skip: needsLoopDevices() }, async () => {
  using folder = temporaryFolder()
  const path = folder.join('image')
  writeXfsImage(path, { sizeBytes: XFS_SIZE_BYTES_MIN })
  // Without these no AG keeps blocks back, in which whole chunks would find room.
  runTool('mkfs.xfs', ['-q', '-f', '-m', 'reflink=0,finobt=0,inobtcount=0', '-i', 'sparse=1', path])
  whileMounted(path, folder.join('mnt'), () => fill(folder.join('mnt')))
  const image = fileImage(path)
  const findings: Finding[] = []
  const { superblock } = await readSuperblock(cachedImage(image), findings)
  const volume = { image: cachedImage(image), superblock, findings }
  const sizes = new Set<string>()
  for (let agNumber = 0; agNumber < superblock.agCount; agNumber += 1) {
    const chunks = await chunksRead(volume, agNumber)
    assert.deepEqual(chunks, chunksOfXfsDb(path, agNumber), `AG ${agNumber}`)
    for (const chunk of chunks) sizes.add(chunk.split(' ')[1] ?? '')
    const [middle] = chunks.slice(chunks.length / 2)
    const first = Number(middle?.split(' ')[0])
    const within: number[] = []
    for await (const batch of inodeChunks(volume, agNumber, { first: first + 1, end: first + 2 })) {
      within.push(...batch.map(({ firstInode }) => firstInode))
    }
    assert.deepEqual(within, middle === undefined ? [] : [first])
  }
  assert(sizes.has('64') && sizes.size > 1, `only chunks of ${[...sizes].join()} inodes`)
  await image[Symbol.asyncDispose]()
})
