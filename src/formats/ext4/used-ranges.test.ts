import assert from 'node:assert/strict'
import { closeSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import { test } from 'node:test'

import { fileImage } from '../../../test/support/bytes-image.ts'
import { dumpFreeBlocks, type BlockRange } from '../../../test/support/ext4-free-blocks.ts'
import { makeExt4 } from '../../../test/support/make-ext4.ts'
import { runTool } from '../../../test/support/run-tool.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import type { FrozenImage } from '../../domain/frozen-image.ts'
import { endOf } from '../../domain/range.ts'
import { readBytes } from '../../images/read-bytes.ts'
import type { Finding } from '../finding.ts'
import { readGroupDescriptors } from './group-descriptors.ts'
import { descriptorBlock, groupFirstBlock } from './group-layout.ts'
import { readSuperblock } from './read-superblock.ts'
import type { Superblock } from './superblock.ts'
import { usedRanges } from './used-ranges.ts'

const MIB = 1024 * 1024

type Case = { readonly words: string; readonly sizeMib: number; readonly fileCount?: number }

const CASES: readonly Case[] = [
  { words: '-t ext4 -b 1024', sizeMib: 80 },
  { words: '-t ext4 -b 2048 -G 64', sizeMib: 300 },
  { words: '-t ext4 -b 4096', sizeMib: 1000 },
  { words: '-t ext4 -b 65536', sizeMib: 20_000 },
  { words: '-t ext4 -b 4096 -g 4096', sizeMib: 200 },
  { words: '-t ext4 -O ^64bit', sizeMib: 300 },
  { words: '-t ext4 -O ^metadata_csum', sizeMib: 300 },
  { words: '-t ext4 -O uninit_bg,^metadata_csum', sizeMib: 1000 },
  { words: '-t ext4 -O uninit_bg,^metadata_csum,^64bit,^flex_bg', sizeMib: 1000 },
  { words: '-t ext4 -O ^flex_bg', sizeMib: 1000 },
  { words: '-t ext4 -O ^resize_inode', sizeMib: 300 },
  { words: '-t ext4 -O ^sparse_super,^flex_bg,^resize_inode', sizeMib: 1000 },
  { words: '-t ext4 -O sparse_super2', sizeMib: 1000 },
  { words: '-t ext4 -O sparse_super2 -E num_backup_sb=0', sizeMib: 1000 },
  { words: '-t ext4 -O meta_bg,^resize_inode', sizeMib: 2000 },
  { words: '-t ext4 -b 1024 -O meta_bg,^resize_inode,^64bit', sizeMib: 600 },
  { words: '-t ext4 -b 1024 -O meta_bg,^resize_inode,bigalloc -C 4096', sizeMib: 3000 },
  { words: '-t ext4 -O bigalloc -C 65536', sizeMib: 1000 },
  { words: '-t ext4 -b 1024 -O bigalloc -C 16384', sizeMib: 300 },
  { words: '-t ext4 -O quota,project,orphan_file,metadata_csum_seed,stable_inodes,encrypt', sizeMib: 300 },
  // Tools that write to it wait for ten seconds, to see whether somebody else does.
  { words: '-t ext4 -O mmp', sizeMib: 300, fileCount: 0 },
  { words: '-t ext4 -O ^has_journal,inline_data', sizeMib: 300 },
  { words: '-t ext4 -J size=4', sizeMib: 333 },
  { words: '-t ext3', sizeMib: 300 },
  { words: '-t ext2', sizeMib: 100 },
  { words: '-t ext2 -r 0', sizeMib: 40 },
]

for (const { words, sizeMib, fileCount = 60 } of CASES) {
  test(`usedRanges() leaves free what dumpe2fs calls free: ${words}`, async () => {
    using folder = temporaryFolder()
    const path = folder.join('image')
    makeExt4(path, { sizeBytes: sizeMib * MIB, words: words.split(' '), fileCount })
    const { superblock, free, findings } = await readFree(path)
    assert.deepEqual(findings, [])
    assert.deepEqual(free, dumpFreeBlocks(path, superblock.blocksPerCluster, superblock.blockCount))
    assert(free.length > 0)
  })
}

const COPIED = [
  '-t ext4',
  '-t ext4 -b 1024 -O bigalloc -C 16384',
  '-t ext4 -O meta_bg,^resize_inode',
  '-t ext3',
  '-t ext2',
]
for (const words of COPIED) {
  test(`usedRanges() holds all that e2fsck wants to see: ${words}`, async () => {
    using folder = temporaryFolder()
    const path = folder.join('image')
    makeExt4(path, { sizeBytes: 200 * MIB, words: words.split(' '), fileCount: 60 })
    const copy = folder.join('copy')
    await copyUsed(path, copy)
    runTool('e2fsck', ['-f', '-n', copy])
    assert.equal(listRoot(copy), listRoot(path))
    assert.equal(runTool('debugfs', ['-R', 'cat file1', copy]), '\x07'.repeat(9000))
  })
}

function listRoot(path: string): string {
  return runTool('debugfs', ['-R', 'ls -l /', path])
}

async function copyUsed(path: string, copy: string): Promise<void> {
  await using image = fileImage(path)
  const { superblock } = await readSuperblock(image, ignore)
  const descriptors = await readGroupDescriptors(image, superblock, ignore)
  const source = { image, superblock, descriptors, journalRuns: [], report: ignore }
  const file = openSync(copy, 'w')
  ftruncateSync(file, image.sizeBytes)
  for await (const batch of usedRanges(source, new AbortController().signal)) {
    for (const { offset, length } of batch) {
      const bytes = await readBytes(image, offset, length)
      writeSync(file, bytes, 0, length, offset)
    }
  }
  closeSync(file)
}

type Free = {
  readonly superblock: Superblock
  readonly free: BlockRange[]
  readonly findings: readonly Finding[]
}

async function readFree(path: string): Promise<Free> {
  await using image = fileImage(path)
  return await freeOf(image)
}

async function freeOf(image: FrozenImage): Promise<Free> {
  const findings: Finding[] = []
  const report = (finding: Finding): void => void findings.push(finding)
  const { superblock } = await readSuperblock(image, report)
  const descriptors = await readGroupDescriptors(image, superblock, report)
  const free: BlockRange[] = []
  let position = 0
  const source = { image, superblock, descriptors, journalRuns: [], report }
  for await (const batch of usedRanges(source, new AbortController().signal)) {
    for (const range of batch) {
      const first = range.offset / superblock.blockSizeBytes
      if (first > position) free.push([position, first])
      position = endOf(range) / superblock.blockSizeBytes
    }
  }
  if (position < superblock.blockCount) free.push([position, superblock.blockCount])
  return { superblock, free, findings }
}

/** The free blocks that the groups of a sound image have, group by group, without the named group. */
function without(free: readonly BlockRange[], superblock: Superblock, group: number): BlockRange[] {
  const first = groupFirstBlock(superblock, group)
  const end = first + superblock.blocksPerGroup
  return free.flatMap(([from, to]) =>
    (
      [
        [from, Math.min(to, first)],
        [Math.max(from, end), to],
      ] as const
    ).filter(([a, b]) => a < b),
  )
}

function changeByte(path: string, offset: number, by: number): void {
  const file = openSync(path, 'r+')
  const byte = new Uint8Array(1)
  readSync(file, byte, 0, 1, offset)
  byte[0] = (byte[0] ?? 0) ^ by
  writeSync(file, byte, 0, 1, offset)
  closeSync(file)
}

for (const words of ['-t ext4 -b 1024', '-t ext4 -b 1024 -O ^metadata_csum']) {
  test(`usedRanges() takes a group whose bitmap is damaged as in use: ${words}`, async () => {
    using folder = temporaryFolder()
    const path = folder.join('image')
    makeExt4(path, { sizeBytes: 64 * MIB, words: words.split(' '), fileCount: 10 })
    const sound = await readFree(path)
    await using image = fileImage(path)
    const descriptors = await readGroupDescriptors(image, sound.superblock, ignore)
    // The last byte: the end of the first group is free.
    changeByte(path, (descriptors.blockBitmap[0] ?? 0) * 1024 + 1023, 0x10)
    const damaged = await readFree(path)
    assert.deepEqual(damaged.free, without(sound.free, sound.superblock, 0))
    assert.equal(damaged.findings.length, 1)
    assert.match(damaged.findings[0]?.found ?? '', /all blocks of the group are taken as in use/)
    assert.equal(damaged.findings[0]?.structure, 'ext4 block bitmap of group 0')
  })
}

test('usedRanges() trusts no count and no flag of a backup descriptor', async () => {
  using folder = temporaryFolder()
  const path = folder.join('image')
  makeExt4(path, { sizeBytes: 64 * MIB, words: ['-t', 'ext4', '-b', '1024'], fileCount: 10 })
  const sound = await readFree(path)
  changeByte(path, descriptorBlock(sound.superblock, 0) * 1024 + 0xc, 0xff)
  const damaged = await readFree(path)
  const [first] = damaged.findings
  assert.equal(first?.structure, 'ext4 group descriptor 0')
  assert.match(first.found, /^checksum is 0x\w+, expected 0x\w+; its backup is used$/)
  const freeBlocks = damaged.free.every(([from]) => from >= groupFirstBlock(sound.superblock, 1))
  assert(freeBlocks)
})

test('usedRanges() ends with the image', async () => {
  using folder = temporaryFolder()
  const path = folder.join('image')
  makeExt4(path, { sizeBytes: 64 * MIB, words: ['-t', 'ext4', '-b', '1024'] })
  await using whole = fileImage(path)
  const sizeBytes = 20 * MIB + 512
  const image = { ...whole, sizeBytes }
  const { superblock } = await readSuperblock(image, ignore)
  const descriptors = await readGroupDescriptors(image, superblock, ignore)
  let end = 0
  const source = { image, superblock, descriptors, journalRuns: [], report: ignore }
  for await (const batch of usedRanges(source, new AbortController().signal)) {
    for (const range of batch) end = endOf(range)
  }
  assert(end <= sizeBytes)
})

function ignore(): void {}
