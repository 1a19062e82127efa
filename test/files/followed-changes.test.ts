import assert from 'node:assert/strict'
import { closeSync, mkdirSync, openSync, readSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { openExt4 } from '../../src/formats/ext4/open-ext4.ts'
import { resolvePath } from '../../src/formats/resolve-path.ts'
import { openXfs } from '../../src/formats/xfs/open-xfs.ts'
import { fileImage } from '../support/bytes-image.ts'
import { compareImageFiles } from '../support/compare-image-files.ts'
import { makeExt4 } from '../support/make-ext4.ts'
import { changeAtRandom } from '../support/random-changes.ts'
import { needsLoopDevices } from '../support/requirements.ts'
import { runTool } from '../support/run-tool.ts'
import { seededRandomness } from '../support/seeded-randomness.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { whileMounted, XFS_SIZE_BYTES_MIN } from '../support/xfs-image.ts'

const MIB = 1024 * 1024
const SEED = Number(process.env['ICECORE_TEST_SEED'] ?? 1)
const never = new AbortController().signal

type Format = 'ext4' | 'xfs'

const EXT4_WORDS = {
  'of today': ['-t', 'ext4', '-b', '4096', '-O', 'metadata_csum'],
  'with small inodes and blocks': ['-t', 'ext3', '-b', '1024', '-I', '128'],
  'with inline data': ['-t', 'ext4', '-O', 'inline_data,metadata_csum'],
}

function makeImage(path: string, format: Format, words: readonly string[]): void {
  if (format === 'ext4') {
    makeExt4(path, { sizeBytes: 100 * MIB, words })
    return
  }
  writeFileSync(path, '')
  truncateSync(path, XFS_SIZE_BYTES_MIN)
  // With a UUID of its own: another of the same must not be mounted meanwhile.
  runTool('mkfs.xfs', ['-q', '-f', path])
}

function fill(root: string, manyCount: number): void {
  for (const name of ['a', 'a/b', 'a/b/c', 'd', 'many']) mkdirSync(join(root, name))
  for (let number = 0; number < manyCount; number += 1) writeFileSync(join(root, 'many', `${number}`), '')
  for (const folder of ['a', 'a/b', 'a/b/c', 'd', '.']) {
    for (let number = 0; number < 20; number += 1) {
      writeFileSync(join(root, folder, `file-${number}`), `${number} `.repeat(number * 400))
    }
  }
}

function copy(from: string, to: string): void {
  runTool('cp', ['--sparse=always', from, to])
}

async function assertSameWays(before: string, after: string, what: string): Promise<readonly string[]> {
  const { walked, followed, walkedBecause } = await compareImageFiles(before, after)
  assert.equal(walkedBecause, null, what)
  assert.deepEqual(followed, walked, what)
  return walked
}

const KINDS: readonly (readonly [Format, string, readonly string[]])[] = [
  ...Object.entries(EXT4_WORDS).map(([what, words]) => ['ext4', what, words] as const),
  ['xfs', 'of today', []],
]
for (const [format, what, words] of KINDS) {
  const name = `compareFiles() finds from the blocks of an ${format} ${what} what a walk through all folders finds`
  test(name, { skip: needsLoopDevices() }, async (t) => {
    t.diagnostic(`ICECORE_TEST_SEED=${SEED}`)
    using folder = temporaryFolder()
    const [before, after, root] = [folder.join('before'), folder.join('after'), folder.join('mnt')]
    const chance = seededRandomness(SEED)
    makeImage(after, format, words)
    whileMounted(after, root, () => fill(root, 2000))
    for (let round = 0; round < 6; round += 1) {
      copy(after, before)
      // Many changes at once hide what one alone shows.
      const count = [1, 2, 5, 40, 3, 100][round] ?? 1
      whileMounted(after, root, () => changeAtRandom(root, chance, { count, format }))
      await assertSameWays(before, after, `seed ${SEED}, round ${round}`)
    }
  })
}

/** What lazytime leaves behind: content that changed under an inode that did not. */
async function changeInPlace(image: string, path: string, at: number): Promise<void> {
  const bytes = fileImage(image)
  const magic = new Uint8Array(4)
  await bytes.readInto(magic, 0)
  const fileSystem = Buffer.from(magic).toString() === 'XFSB' ? await openXfs(bytes) : await openExt4(bytes)
  const node = await resolvePath(fileSystem, Buffer.from(path), never)
  assert(node !== null)
  const file = openSync(image, 'r+')
  for await (const batch of fileSystem.fileExtents(node, { offset: at, length: 1 }, never)) {
    const [extent] = batch
    assert(extent?.kind === 'data')
    const byte = new Uint8Array(1)
    readSync(file, byte, 0, 1, extent.physicalOffset)
    writeSync(file, Uint8Array.of((byte[0] ?? 0) ^ 0xff), 0, 1, extent.physicalOffset)
  }
  closeSync(file)
  await bytes[Symbol.asyncDispose]()
}

for (const format of ['ext4', 'xfs'] as const) {
  test(
    `compareFiles() finds the file of a changed block of ${format} whose inode did not change`,
    {
      skip: needsLoopDevices(),
    },
    async () => {
      using folder = temporaryFolder()
      const [before, after, root] = [folder.join('before'), folder.join('after'), folder.join('mnt')]
      makeImage(before, format, ['-t', 'ext4'])
      whileMounted(before, root, () => {
        fill(root, 2000)
        runTool('ln', [join(root, 'a/b/file-19'), join(root, 'd/second-name')])
      })
      copy(before, after)
      assert.deepEqual(await assertSameWays(before, after, 'nothing'), [])
      await changeInPlace(after, '/a/b/file-19', 20_000)
      const found = await assertSameWays(before, after, 'one block')
      assert.deepEqual(
        found.map((line) => line.replace(/ \(.*/u, '')),
        ['modified /a/b/file-19 content', 'modified /d/second-name content'],
      )
    },
  )

  const little = `compareFiles() reads little for one of 10,000 files of ${format}, and for new ones`
  test(little, { skip: needsLoopDevices() }, async (t) => {
    using folder = temporaryFolder()
    const [before, after, root] = [folder.join('before'), folder.join('after'), folder.join('mnt')]
    makeImage(before, format, ['-t', 'ext4'])
    whileMounted(before, root, () => fill(root, 10_000))
    copy(before, after)
    whileMounted(after, root, () => writeFileSync(join(root, 'many', '5000'), 'now with content'))
    const one = await compareImageFiles(before, after)
    assert.match(one.walked.join(), /^modified \/many\/5000 content times \(\d+\)$/u)
    copy(after, before)
    whileMounted(after, root, () => {
      mkdirSync(join(root, 'new'))
      for (let number = 0; number < 70; number += 1) writeFileSync(join(root, 'new', `${number}`), 'new')
    })
    const many = await compareImageFiles(before, after)
    assert.equal(many.walked.length, 71)
    for (const { walked, followed, ...counts } of [one, many]) {
      t.diagnostic(JSON.stringify(counts))
      assert.equal(counts.walkedBecause, null)
      assert.deepEqual(followed, walked)
      assert(counts.followedBytes < counts.walkedBytes / 2, JSON.stringify(counts))
    }
  })
}

test(
  'compareFiles() walks through all folders of a file system that was made anew, and says why',
  {
    skip: needsLoopDevices(),
  },
  async () => {
    using folder = temporaryFolder()
    const [before, after, root] = [folder.join('before'), folder.join('after'), folder.join('mnt')]
    makeImage(before, 'ext4', ['-t', 'ext4'])
    whileMounted(before, root, () => writeFileSync(join(root, 'old'), 'old'))
    makeImage(after, 'ext4', ['-t', 'ext4'])
    whileMounted(after, root, () => writeFileSync(join(root, 'new'), 'new'))
    const { walked, followed, walkedBecause } = await compareImageFiles(before, after)
    assert.deepEqual(followed, walked)
    assert.equal(followed.length, 2)
    assert.equal(walkedBecause, 'the file system was made anew or resized')
  },
)
