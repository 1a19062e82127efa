import assert from 'node:assert/strict'
import { test } from 'node:test'

import { fileImage } from '../../../test/support/bytes-image.ts'
import { debugExt4, makeExt4 } from '../../../test/support/make-ext4.ts'
import { runTool } from '../../../test/support/run-tool.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import type { FrozenImage } from '../../domain/frozen-image.ts'
import type { Finding } from '../finding.ts'
import { FROM_BACKUP, FROM_PRIMARY, readGroupDescriptors, UNREADABLE } from './group-descriptors.ts'
import { descriptorBlock } from './group-layout.ts'
import { readSuperblock } from './read-superblock.ts'

const MIB = 1024 * 1024

/** Group, block bitmap, inode bitmap and inode table of every group. */
function dumpedPlaces(path: string): number[][] {
  const pattern =
    /^Group (\d+):[^]*?Block bitmap at (\d+)[^]*?Inode bitmap at (\d+)[^]*?Inode table at (\d+)/gm
  return [...runTool('dumpe2fs', [path]).matchAll(pattern)].map((match) => match.slice(1).map(Number))
}

for (const words of ['-t ext4', '-t ext4 -b 1024 -O meta_bg,^resize_inode', '-t ext2', '-t ext4 -O ^64bit']) {
  test(`readGroupDescriptors() finds what dumpe2fs finds: ${words}`, async () => {
    using folder = temporaryFolder()
    const path = folder.join('image')
    makeExt4(path, { sizeBytes: 1000 * MIB, words: words.split(' ') })
    await using image = fileImage(path)
    const findings: Finding[] = []
    const { superblock } = await readSuperblock(image, (finding) => findings.push(finding))
    const { count, blockBitmap, inodeBitmap, inodeTable } = await readGroupDescriptors(
      image,
      superblock,
      (finding) => findings.push(finding),
    )
    const places = Array.from({ length: count }, (_, group) => [
      group,
      blockBitmap[group],
      inodeBitmap[group],
      inodeTable[group],
    ])
    assert.deepEqual(findings, [])
    assert.deepEqual(places, dumpedPlaces(path))
  })
}

/** An image in which some bytes are not what they were. */
function damaged(image: FrozenImage, from: number, to: number): FrozenImage {
  return {
    ...image,
    readInto: async (target, offset) => {
      await image.readInto(target, offset)
      const start = Math.max(0, from - offset)
      const end = Math.min(target.byteLength, to - offset)
      if (start < end) target.fill(0xa5, start, end)
    },
  }
}

const COPIES = [
  { words: '-t ext4 -b 1024 -O ^flex_bg', source: FROM_BACKUP },
  { words: '-t ext4 -b 1024 -O meta_bg,^resize_inode', source: FROM_BACKUP },
  { words: '-t ext4 -b 1024 -O ^metadata_csum', source: FROM_BACKUP },
  { words: '-t ext4 -b 1024 -O sparse_super2 -E num_backup_sb=0', source: UNREADABLE },
]
for (const { words, source } of COPIES) {
  test(`readGroupDescriptors() uses a backup where there is one: ${words}`, async () => {
    using folder = temporaryFolder()
    const path = folder.join('image')
    makeExt4(path, { sizeBytes: 200 * MIB, words: words.split(' ') })
    await using image = fileImage(path)
    const { superblock } = await readSuperblock(image, () => {})
    const sound = await readGroupDescriptors(image, superblock, () => {})
    const start = descriptorBlock(superblock, 0) * superblock.blockSizeBytes
    const findings: Finding[] = []
    const end = start + superblock.descriptorSizeBytes
    const found = await readGroupDescriptors(damaged(image, start, end), superblock, (finding) =>
      findings.push(finding),
    )
    assert.equal(found.source[0], source)
    assert.equal(found.source[1], FROM_PRIMARY)
    assert.equal(findings.length, 1)
    assert.equal(findings[0]?.structure, 'ext4 group descriptor 0')
    assert.equal(findings[0]?.offsetBytes, start)
    if (source === FROM_BACKUP) assert.equal(found.inodeTable[0], sound.inodeTable[0])
  })
}

const OVERLAPS = [
  { field: 'inode_bitmap', of: 1, found: /^block \d+ is its block bitmap and its inode bitmap;/ },
  { field: 'block_bitmap', of: 3, found: /^block \d+ is a bitmap of it and in its inode table;/ },
]
for (const { field, of, found } of OVERLAPS) {
  test(`readGroupDescriptors() believes no ${field} that is also something else`, async () => {
    using folder = temporaryFolder()
    const path = folder.join('image')
    makeExt4(path, { sizeBytes: 4 * MIB, words: ['-t', 'ext2'] })
    const block = dumpedPlaces(path)[0]?.[of] ?? 0
    debugExt4(path, [`set_bg 0 ${field} ${block}`])
    await using image = fileImage(path)
    const { superblock } = await readSuperblock(image, () => {})
    const findings: Finding[] = []
    const { source } = await readGroupDescriptors(image, superblock, (finding) => findings.push(finding))
    assert.equal(source[0], UNREADABLE)
    assert.match(findings[0]?.found ?? '', found)
  })
}
