import assert from 'node:assert/strict'
import { truncateSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { fileImage } from '../../../test/support/bytes-image.ts'
import { runTool } from '../../../test/support/run-tool.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import type { Finding } from '../finding.ts'
import { readAgFree, readAgFreeList } from './ag-headers.ts'
import { openXfs } from './open-xfs.ts'
import { readSuperblock } from './read-superblock.ts'

const SIZE_BYTES = 400 * 2 ** 20
const AG_BYTES = SIZE_BYTES / 4
const VERSIONS: Readonly<Record<string, readonly string[]>> = {
  'version 5': [],
  'version 4': ['-m', 'crc=0,finobt=0,rmapbt=0,reflink=0,bigtime=0,inobtcount=0', '-i', 'sparse=0'],
}

/** Commands of `xfs_db`, which mends the checksum, and what is then found. */
const DAMAGES: Readonly<Record<string, readonly [commands: readonly string[], found: RegExp]>> = {
  'another magic': [['agf 1', 'write -d magicnum 0'], /^magic is 0x0/u],
  'the header of another AG': [['agf 1', 'write -d seqno 3'], /^it is that of AG 3/u],
  'another length': [['agf 1', 'write -d length 25599'], /^length is 25599, expected 25600/u],
  'a root outside': [['agf 1', 'write -d bnoroot 99999'], /block 99999 of AG 1, which is not there/u],
  'a root that is another tree': [['agf 1', 'write -d bnoroot 2'], /^magic is/u],
  'too many levels': [['agf 1', 'write -d bnolevel 2'], /^level is 0, expected 1/u],
  'no levels': [['agf 1', 'write -d bnolevel 0'], /B-tree has 0 levels/u],
  'other totals': [
    ['agf 1', 'write -d freeblks 25000', 'write -d longest 25000'],
    /it says 25000 free blocks/u,
  ],
  'another longest extent': [['agf 1', 'write -d longest 100'], /100 at once/u],
  'a free list of other blocks': [['agf 1', 'agfl 1', 'write -d bno[1] 99999'], /^it holds block 99999/u],
  'a free list that is too long': [['agf 1', 'write -d flcount 4000'], /^its free list is/u],
  'a free extent that is too long': [
    ['agf 1', 'addr bnoroot', 'write -d recs[1].blockcount 99999'],
    /^its extent 0 is 99999/u,
  ],
  'trees that differ': [
    ['agf 1', 'addr cntroot', 'write -d recs[1].startblock 11'],
    /^its trees hold|^its extent 0 is/u,
  ],
  'free extents over its own trees': [
    [
      'agf 1',
      'addr bnoroot',
      'write -d recs[1].startblock 1',
      'agf 1',
      'addr cntroot',
      'write -d recs[1].startblock 1',
    ],
    /^its extent 0 (holds a block of its trees|is \d+ blocks at 1)/u,
  ],
}

for (const [version, words] of Object.entries(VERSIONS)) {
  for (const [name, [commands, message]] of Object.entries(DAMAGES)) {
    test(`usedRanges() takes an AG for used that has ${name}: ${version}`, async () => {
      using folder = temporaryFolder()
      const path = folder.join('xfs.img')
      writeFileSync(path, '')
      truncateSync(path, SIZE_BYTES)
      runTool('mkfs.xfs', ['-q', ...words, path])
      const whole = await usedOf(path)
      runTool('xfs_db', ['-x', '-f', ...commands.flatMap((command) => ['-c', command]), path])
      const damaged = await usedOf(path)
      assert.equal(damaged.usedBytes[1], AG_BYTES)
      for (const agNumber of [0, 2, 3]) {
        assert.equal(damaged.usedBytes[agNumber], whole.usedBytes[agNumber])
      }
      assert.deepEqual(whole.findings, [])
      assert.equal(damaged.findings.length, 1)
      assert.match(damaged.findings[0]?.found ?? '', message)
      assert.match(damaged.findings[0]?.found ?? '', /; all of AG 1 counts as in use$/u)
      assert(Number(damaged.findings[0]?.offsetBytes) >= AG_BYTES)
    })
  }
}

test('readAgFreeList() knows the shorter ring of old kernels', async () => {
  using folder = temporaryFolder()
  const path = folder.join('xfs.img')
  writeFileSync(path, '')
  truncateSync(path, SIZE_BYTES)
  runTool('mkfs.xfs', ['-q', path])
  const header = ['agf 1', 'write -d flfirst 116', 'write -d fllast 1']
  const list = [
    'agfl 1',
    'write -d bno[116] 6',
    'write -d bno[117] 7',
    'write -d bno[0] 8',
    'write -d bno[1] 9',
  ]
  const commands = [...header, ...list]
  runTool('xfs_db', ['-x', '-f', ...commands.flatMap((command) => ['-c', command]), path])
  await using image = fileImage(path)
  const { superblock } = await readSuperblock(image, [])
  const volume = { image, superblock, findings: [] }
  assert.deepEqual(await readAgFreeList(volume, await readAgFree(volume, 1)), [6, 7, 8, 9])
})

/** How much of each of the four AGs is in use. */
async function usedOf(path: string): Promise<{ usedBytes: readonly number[]; findings: readonly Finding[] }> {
  await using image = fileImage(path)
  const fileSystem = await openXfs(image)
  assert.deepEqual(fileSystem.allocation, { proven: true })
  const usedBytes = [0, 0, 0, 0]
  for await (const batch of fileSystem.usedRanges(new AbortController().signal)) {
    for (const { offset, length } of batch) {
      for (const [agNumber, used] of usedBytes.entries()) {
        const start = Math.max(offset, agNumber * AG_BYTES)
        const end = Math.min(offset + length, (agNumber + 1) * AG_BYTES)
        usedBytes[agNumber] = used + Math.max(0, end - start)
      }
    }
  }
  return { usedBytes, findings: fileSystem.findings }
}
