import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  closeSync,
  copyFileSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { fileImage } from '../../../../test/support/bytes-image.ts'
import { loopDevice } from '../../../../test/support/loop-device.ts'
import { debugExt4, makeExt4 } from '../../../../test/support/make-ext4.ts'
import { needsLoopDevices } from '../../../../test/support/requirements.ts'
import { runTool } from '../../../../test/support/run-tool.ts'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import type { FrozenImage } from '../../../domain/frozen-image.ts'
import { readBytes } from '../../../images/read-bytes.ts'
import type { Finding } from '../../finding.ts'
import { readGroupDescriptors } from '../group-descriptors.ts'
import { readSuperblock } from '../read-superblock.ts'
import type { Ext4Volume } from '../volume.ts'
import { recoveredVolume, recoverVolume, type Recovery } from './recover-volume.ts'

const MIB = 1024 * 1024
const SUPERBLOCK_BLOCK_1K = 1

function unexpected(finding: Finding): void {
  assert.fail(`${finding.structure}: ${finding.found}`)
}

type Opened = {
  readonly volume: Ext4Volume
  readonly recovery: Recovery
  readonly findings: readonly Finding[]
}

async function recover(image: FrozenImage): Promise<Opened> {
  const findings: Finding[] = []
  const { superblock, isBackup } = await readSuperblock(image, unexpected)
  const descriptors = await readGroupDescriptors(image, superblock, () => {})
  const volume = { image, superblock, descriptors, report: (finding: Finding) => void findings.push(finding) }
  return { volume, recovery: await recoverVolume(volume, isBackup), findings }
}

/** The numbers of the blocks in which the replay in memory differs from what `e2fsck` made of a copy. */
async function differingBlocks(path: string, opened: Opened): Promise<number[]> {
  const copy = `${path}.recovered`
  copyFileSync(path, copy)
  runTool('e2fsck', ['-f', '-y', '-E', 'journal_only', copy], { allowedExitCodes: [0, 1] })
  await using theirs = fileImage(copy)
  const { image, superblock } = recoveredVolume(opened.volume, opened.recovery)
  const { blockSizeBytes } = superblock
  const differing: number[] = []
  for (let offset = 0; offset < image.sizeBytes; offset += MIB) {
    const ours = await readBytes(image, offset, MIB)
    const expected = await readBytes(theirs, offset, MIB)
    if (Buffer.from(ours).equals(expected)) continue
    for (let at = 0; at < MIB; at += blockSizeBytes) {
      const isEqual = Buffer.from(ours.subarray(at, at + blockSizeBytes)).equals(
        expected.subarray(at, at + blockSizeBytes),
      )
      if (!isEqual) differing.push((offset + at) / blockSizeBytes)
    }
  }
  rmSync(copy)
  return differing
}

/** The superblocks of file system and journal, which say that recovery was done. */
function superblocks({ volume, recovery }: Opened): number[] {
  const first = volume.superblock.blockSizeBytes === 1024 ? SUPERBLOCK_BLOCK_1K : 0
  return [first, recovery.journalRuns[0]?.block ?? -1]
}

/** Transactions that write, write again, revoke and write what was revoked; one block begins as the journal's own. */
function writeTransactions(path: string, open: string): void {
  writeFileSync(`${path}.plain`, 'plain\n'.repeat(1000).slice(0, 4096))
  const escaped = Buffer.alloc(1024, 'escaped\n')
  escaped.writeUInt32BE(0xc03b3998)
  writeFileSync(`${path}.escaped`, escaped)
  debugExt4(path, [
    open,
    `jw -b 40000,40001,40002,40004 ${path}.plain`,
    'jc',
    open,
    `jw -b 40003 ${path}.escaped`,
    'jc',
    open,
    'jw -r 40001,40002',
    'jc',
    open,
    `jw -b 40002 ${path}.escaped`,
    'jc',
  ])
}

const WRITTEN = [
  { open: 'jo', features: '^64bit,^metadata_csum' },
  { open: 'jo', features: '64bit,^metadata_csum' },
  { open: 'jo -c', features: '64bit,metadata_csum' },
  { open: 'jo -c -v 3', features: '^64bit,metadata_csum' },
]
for (const { open, features } of WRITTEN) {
  test(`recoverVolume() replays what e2fsck replays: debugfs "${open}" with ${features}`, async () => {
    using folder = temporaryFolder()
    const path = folder.join('image')
    makeExt4(path, { sizeBytes: 64 * MIB, words: ['-t', 'ext4', '-b', '1024', '-O', features] })
    writeTransactions(path, open)
    await using image = fileImage(path)
    const opened = await recover(image)
    assert.deepEqual(opened.findings, [])
    assert.equal(opened.recovery.objection, 'its journal needs recovery')
    const blocks = [...(opened.recovery.overlay?.blocks ?? [])]
    assert.deepEqual(blocks, [40000, 40002, 40003, 40004])
    assert.deepEqual([...(opened.recovery.overlay?.heads.keys() ?? [])], [40002, 40003])
    assert.deepEqual(await differingBlocks(path, opened), superblocks(opened))
  })
}

test('recoverVolume() follows numbers of transactions around the end of 32 bits', async () => {
  using folder = temporaryFolder()
  const path = folder.join('image')
  makeExt4(path, { sizeBytes: 64 * MIB, words: ['-t', 'ext3', '-b', '1024'] })
  const numberOffset = 0x18
  writeBytes(path, (await journalByte(path, 0)) + numberOffset, Uint8Array.of(0xff, 0xff, 0xff, 0xfe))
  writeTransactions(path, 'jo')
  await using image = fileImage(path)
  const opened = await recover(image)
  assert.deepEqual([...(opened.recovery.overlay?.blocks ?? [])], [40000, 40002, 40003, 40004])
  assert.deepEqual(opened.findings, [])
  assert.deepEqual(await differingBlocks(path, opened), superblocks(opened))
})

async function journalByte(path: string, block: number): Promise<number> {
  await using image = fileImage(path)
  const { recovery, volume } = await recover(image)
  return ((recovery.journalRuns[0]?.block ?? 0) + block) * volume.superblock.blockSizeBytes
}

function writeBytes(path: string, offset: number, bytes: Uint8Array): void {
  const file = openSync(path, 'r+')
  writeSync(file, bytes, 0, bytes.byteLength, offset)
  closeSync(file)
}

/** One transaction: block 1 of the journal describes, 2 to 5 are what was written, 6 commits. */
async function withOneTransaction(
  folder: { join(name: string): string },
  damage: { readonly block: number; readonly offset: number },
): Promise<string> {
  const path = folder.join('image')
  makeExt4(path, { sizeBytes: 64 * MIB, words: ['-t', 'ext4', '-b', '1024'] })
  writeTransactions(path, 'jo -c')
  const start = await journalByte(path, damage.block)
  writeBytes(path, start + damage.offset, Uint8Array.of(0x77))
  return path
}

test('recoverVolume() leaves out a block whose checksum does not fit', async () => {
  using folder = temporaryFolder()
  const path = await withOneTransaction(folder, { block: 2, offset: 500 })
  await using image = fileImage(path)
  const opened = await recover(image)
  assert.deepEqual([...(opened.recovery.overlay?.blocks ?? [])], [40002, 40003, 40004])
  assert.equal(opened.findings.length, 1)
  assert.equal(opened.findings[0]?.found, 'its checksum does not fit, as block 40000; it is not replayed')
})

test('recoverVolume() ends the log before a commit whose checksum does not fit', async () => {
  using folder = temporaryFolder()
  const path = await withOneTransaction(folder, { block: 6, offset: 0x35 })
  await using image = fileImage(path)
  const opened = await recover(image)
  assert.equal(opened.recovery.overlay?.blocks.length, 0)
  assert.equal(opened.recovery.objection, 'its journal needs recovery')
  assert.match(opened.findings[0]?.found ?? '', /^checksum of a commit block does not fit/)
  assert.deepEqual(await differingBlocks(path, opened), superblocks(opened))
})

test('recoverVolume() says that a damaged journal is damaged', async () => {
  using folder = temporaryFolder()
  const path = await withOneTransaction(folder, { block: 0, offset: 0x1f })
  await using image = fileImage(path)
  const opened = await recover(image)
  assert.equal(opened.recovery.overlay, null)
  assert.equal(opened.recovery.objection, 'its journal is damaged')
  assert.equal(opened.findings.length, 1)
})

test('recoverVolume() says that a journal on another device is not read', async () => {
  using folder = temporaryFolder()
  const path = folder.join('image')
  const journal = folder.join('journal')
  makeExt4(journal, { sizeBytes: 8 * MIB, words: ['-O', 'journal_dev', '-b', '1024'] })
  makeExt4(path, { sizeBytes: 64 * MIB, words: ['-t', 'ext4', '-b', '1024', '-O', '^has_journal'] })
  // has_journal, and no inode that holds it.
  debugExt4(path, ['feature has_journal'])
  await using image = fileImage(path)
  const opened = await recover(image)
  assert.equal(opened.recovery.objection, 'its journal is on another device')
  await using device = fileImage(journal)
  await assert.rejects(readSuperblock(device, unexpected), { what: 'ext4 with feature journal_dev' })
})

const MOUNTED = [
  { words: '-t ext3', options: 'defaults' },
  { words: '-t ext3', options: 'journal_checksum' },
  { words: '-t ext4', options: 'defaults' },
  { words: '-t ext4 -O ^metadata_csum', options: 'journal_async_commit,data=writeback' },
  // Contents go through the journal, and around the ring.
  { words: '-t ext4 -b 1024 -J size=4', options: 'data=journal' },
]
for (const { words, options } of MOUNTED) {
  test(
    `recoverVolume() replays what e2fsck replays: copied while mounted, ${words} with ${options}`,
    { skip: needsLoopDevices() },
    async () => {
      using folder = temporaryFolder()
      const path = folder.join('image')
      makeExt4(path, { sizeBytes: 128 * MIB, words: words.split(' ') })
      const copy = folder.join('copy')
      copyWhileMounted(path, copy, { folder: folder.join('mounted'), options })
      await using image = fileImage(copy)
      const opened = await recover(image)
      assert.deepEqual(opened.findings, [])
      assert((opened.recovery.overlay?.blocks.length ?? 0) > 0)
      if (options === 'data=journal') assert((opened.recovery.overlay?.heads.size ?? 0) > 0)
      assert.deepEqual(await differingBlocks(copy, opened), superblocks(opened))
    },
  )
}

function copyWhileMounted(
  path: string,
  copy: string,
  mount: { readonly folder: string; readonly options: string },
): void {
  using device = loopDevice(path)
  mkdirSync(mount.folder)
  runTool('mount', ['-t', 'ext4', '-o', mount.options, device.path, mount.folder])
  try {
    changeFiles(mount.folder)
    // Whatever the kernel still writes meanwhile: both replays are of the copy.
    execFileSync('cp', ['--sparse=always', path, copy])
  } finally {
    runTool('umount', [mount.folder])
  }
}

function changeFiles(folder: string): void {
  const content = Buffer.alloc(9000, 'content\n')
  content.writeUInt32BE(0xc03b3998)
  for (let round = 0; round < 4; round += 1) {
    mkdirSync(`${folder}/round${round}`)
    for (let index = 0; index < 60; index += 1) {
      writeFileSync(`${folder}/round${round}/file${index}`, content.subarray(0, 20 + 150 * index))
    }
    for (let index = 0; index < 60; index += 3) rmSync(`${folder}/round${round}/file${index}`)
    renameSync(`${folder}/round${round}/file1`, `${folder}/round${round}/renamed`)
    const file = openSync(`${folder}/round${round}/renamed`, 'r+')
    fsyncSync(file)
    closeSync(file)
  }
}
