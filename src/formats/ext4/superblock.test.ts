import assert from 'node:assert/strict'
import { closeSync, openSync, writeSync } from 'node:fs'
import { test } from 'node:test'

import { bytesImage, fileImage } from '../../../test/support/bytes-image.ts'
import { makeExt4 } from '../../../test/support/make-ext4.ts'
import { runTool } from '../../../test/support/run-tool.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { readBytes } from '../../images/read-bytes.ts'
import type { Finding } from '../finding.ts'
import { FormatError, UnmappedError } from '../format-error.ts'
import { allocationProof } from './allocation-proof.ts'
import { ext4Checksum } from './checksum.ts'
import { readSuperblock } from './read-superblock.ts'
import { parseSuperblock } from './superblock.ts'

const MIB = 1024 * 1024
const SIZE_MIB = 64
const PLACE = { structure: 'ext4 superblock', offsetBytes: 1024 }
const INCOMPATIBLE = 0x60
const READ_ONLY_COMPATIBLE = 0x64

async function imageBytes(words: readonly string[]): Promise<Uint8Array> {
  using folder = temporaryFolder()
  const path = folder.join('image')
  makeExt4(path, { sizeBytes: SIZE_MIB * MIB, words })
  await using image = fileImage(path)
  return await readBytes(image, 0, SIZE_MIB * MIB)
}

/** A superblock with a word changed, and its checksum mended. */
function changed(bytes: Uint8Array, offset: number, change: (word: number) => number): Uint8Array {
  const superblock = bytes.slice(1024, 2048)
  const view = new DataView(superblock.buffer)
  view.setUint32(offset, change(view.getUint32(offset, true)), true)
  view.setUint32(0x3fc, ext4Checksum(superblock.subarray(0, 0x3fc)), true)
  return superblock
}

const CASES = [
  { words: '-t ext4 -L a-label', format: 'ext4' },
  { words: '-t ext4 -b 1024 -O bigalloc -C 16384 -L b', format: 'ext4' },
  { words: '-t ext3 -L c', format: 'ext3' },
  { words: '-t ext2 -b 2048 -I 128 -L d', format: 'ext2' },
]
for (const { words, format } of CASES) {
  test(`parseSuperblock() says what dumpe2fs says: ${words}`, async () => {
    using folder = temporaryFolder()
    const path = folder.join('image')
    makeExt4(path, { sizeBytes: SIZE_MIB * MIB, words: words.split(' ') })
    await using image = fileImage(path)
    const superblock = parseSuperblock(await readBytes(image, 1024, 1024), PLACE)
    const dumped = runTool('dumpe2fs', ['-h', path])
    const fact = (name: string): string => new RegExp(`^${name}:[ \\t]+(.*)$`, 'm').exec(dumped)?.[1] ?? ''
    assert.equal(superblock.format, format)
    assert.equal(superblock.label, fact('Filesystem volume name'))
    assert.equal(superblock.uuidText, fact('Filesystem UUID'))
    assert.equal(superblock.blockCount, Number(fact('Block count')))
    assert.equal(superblock.freeBlockCount, Number(fact('Free blocks')))
    assert.equal(superblock.blockSizeBytes, Number(fact('Block size')))
    assert.equal(superblock.inodeCount, Number(fact('Inode count')))
    assert.equal(superblock.inodesPerGroup, Number(fact('Inodes per group')))
    assert.equal(superblock.inodeSizeBytes, Number(fact('Inode size')))
    assert.equal(superblock.firstDataBlock, Number(fact('First block')))
    assert.equal(superblock.blocksPerGroup, Number(fact('Blocks per group')))
    const clusterSize = Number(fact('Cluster size') || fact('Fragment size'))
    assert.equal(superblock.blocksPerCluster * superblock.blockSizeBytes, clusterSize)
    assert.equal(superblock.journalInode, Number(fact('Journal inode')))
  })
}

test('parseSuperblock() names the magic it found', () => {
  assert.throws(() => parseSuperblock(new Uint8Array(1024), PLACE), {
    name: 'FormatError',
    message: 'Cannot read ext4 superblock at byte 1024: magic is 0x0, expected 0xef53',
  })
})

test('parseSuperblock() refuses features that are not known, by name', async () => {
  const bytes = await imageBytes(['-t', 'ext4'])
  const refused = [
    [0x1, 'compression'],
    [0x8, 'journal_dev'],
    [0x1000, 'dirdata'],
    [0x80000000, 'incompat 0x80000000'],
  ] as const
  for (const [bit, name] of refused) {
    const superblock = changed(bytes, INCOMPATIBLE, (word) => word | bit)
    assert.throws(
      () => parseSuperblock(superblock, PLACE),
      (error) => error instanceof UnmappedError && error.what === `ext4 with feature ${name}`,
    )
  }
})

test('allocationProof() takes an unknown read-only feature for a reason to doubt what is free', async () => {
  const bytes = await imageBytes(['-t', 'ext4'])
  const superblock = parseSuperblock(
    changed(bytes, READ_ONLY_COMPATIBLE, (word) => word | 0x40000000),
    PLACE,
  )
  const subject = { superblock, isBackup: false, imageSizeBytes: SIZE_MIB * MIB }
  const reason = 'it has feature ro_compat 0x40000000, which is not known'
  assert.deepEqual(allocationProof(subject), { proven: false, reason })
})

test('allocationProof() doubts a file system that is larger than its volume, or was not unmounted', async () => {
  const bytes = await imageBytes(['-t', 'ext2'])
  const sound = parseSuperblock(bytes.subarray(1024, 2048), PLACE)
  const subject = { superblock: sound, isBackup: false, imageSizeBytes: SIZE_MIB * MIB }
  assert.deepEqual(allocationProof(subject), { proven: true })
  assert.equal(allocationProof({ ...subject, imageSizeBytes: SIZE_MIB * MIB - 1 }).proven, false)
  assert.equal(allocationProof({ ...subject, isBackup: true }).proven, false)
  const mounted = parseSuperblock(
    changed(bytes, 0x38, (word) => word & 0xffff),
    PLACE,
  )
  const reason = 'it was not unmounted cleanly'
  assert.deepEqual(allocationProof({ ...subject, superblock: mounted }), { proven: false, reason })
})

test('parseSuperblock() throws nothing but FormatError and UnmappedError, whatever a word holds', async () => {
  const bytes = await imageBytes(['-t', 'ext4'])
  for (let offset = 0; offset < 0x300; offset += 4) {
    for (const value of [0, 1, 0x7fffffff, 0xffffffff]) {
      try {
        parseSuperblock(
          changed(bytes, offset, () => value),
          PLACE,
        )
      } catch (error) {
        assert(error instanceof FormatError || error instanceof UnmappedError, String(error))
      }
    }
  }
})

for (const blockSize of [1024, 4096]) {
  test(`readSuperblock() uses a backup when the first is damaged: blocks of ${blockSize}`, async () => {
    using folder = temporaryFolder()
    const path = folder.join('image')
    const sizeBytes = 200 * MIB
    makeExt4(path, { sizeBytes, words: ['-t', 'ext4', '-b', String(blockSize)] })
    const file = openSync(path, 'r+')
    writeSync(file, Uint8Array.of(0x55), 0, 1, 1024 + 0x80)
    closeSync(file)
    await using image = fileImage(path)
    const findings: Finding[] = []
    const found = await readSuperblock(image, (finding) => findings.push(finding))
    assert.equal(found.isBackup, true)
    assert.equal(found.superblock.groupNumber, 1)
    assert.equal(findings.length, 1)
    assert.match(findings[0]?.found ?? '', /its backup at byte \d+ is used$/)
  })
}

test('readSuperblock() says what is wrong with the first when there is no backup', async () => {
  await assert.rejects(readSuperblock(bytesImage(new Uint8Array(MIB)), assert.fail.bind(null, 'none')), {
    message: 'Cannot read ext4 superblock at byte 1024: magic is 0x0, expected 0xef53',
  })
  await assert.rejects(readSuperblock(bytesImage(new Uint8Array(1500)), assert.fail.bind(null, 'none')), {
    message: 'Cannot read ext4 superblock at byte 1024: the image ends at byte 1500',
  })
})
