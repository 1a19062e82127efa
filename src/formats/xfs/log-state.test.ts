import assert from 'node:assert/strict'
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { test } from 'node:test'

import { fileImage } from '../../../test/support/bytes-image.ts'
import { loopDevice } from '../../../test/support/loop-device.ts'
import { needsLoopDevices } from '../../../test/support/requirements.ts'
import { runTool } from '../../../test/support/run-tool.ts'
import { temporaryFolder, type TemporaryFolder } from '../../../test/support/temporary-folder.ts'
import { usedXfsBlocks } from '../../../test/support/xfs-free-space.ts'
import { assertXfsClean, whileMounted } from '../../../test/support/xfs-image.ts'
import { complementRanges } from '../../extents/complement-ranges.ts'
import type { AllocationProof } from '../file-system.ts'
import { logRing } from './log-blocks.ts'
import { openXfs } from './open-xfs.ts'
import { readSuperblock } from './read-superblock.ts'

const CLEAN: AllocationProof = { proven: true }
const DIRTY: AllocationProof = { proven: false, reason: 'its log needs recovery' }
const SIZE_BYTES = 400 * 2 ** 20

/** What a file system goes through, step by step, and what its log says after each. */
const STEPS = {
  'mounted and not written to': CLEAN,
  'written to and synced': DIRTY,
  frozen: CLEAN,
  'thawed and written to': DIRTY,
  'shut down without its log': DIRTY,
  'mounted again and unmounted': CLEAN,
  'shut down with its log': DIRTY,
  'with a log that was thrown away': CLEAN,
} as const

const LOGS: Readonly<Record<string, readonly string[]>> = {
  'as made by default': [],
  'with a stripe of 256 KiB': ['-l', 'su=256k,size=64m'],
  'with sectors of 4 KiB': ['-s', 'size=4096'],
}

for (const [name, words] of Object.entries(LOGS)) {
  test(`readLogState() knows when the log is clean: ${name}`, { skip: needsLoopDevices() }, async () => {
    using folder = temporaryFolder()
    makeXfs(folder.join('xfs.img'), words)
    const sector = words.includes('size=4096') ? 4096 : 512
    takeSteps(folder, sector)
    const found: Record<string, AllocationProof> = {}
    for (const step of Object.keys(STEPS)) found[step] = await allocationOf(folder.join(step))
    assert.deepEqual(found, STEPS)
    for (const [step, { proven }] of Object.entries(STEPS)) {
      // To the tool a log that only repeats the superblock is as dirty as any.
      const expected = proven && step !== 'frozen' ? 'CLEAN' : 'DIRTY'
      const said = /state: <([A-Z]+)>/u.exec(runTool('xfs_logprint', ['-t', folder.join(step)]))
      assert.equal(said?.[1], expected, step)
    }
  })
}

for (const [name, words] of Object.entries({ plain: [], striped: ['-d', 'su=64k,sw=2', '-l', 'su=64k'] })) {
  test(`readLogState() follows a log around its end: ${name}`, { skip: needsLoopDevices() }, async () => {
    using folder = temporaryFolder()
    const path = folder.join('xfs.img')
    writeFileSync(path, '')
    truncateSync(path, 60 * 2 ** 20)
    // Only so small a file system has a log that is soon full.
    runTool('mkfs.xfs', ['--unsupported', '-q', ...words, path])
    const mount = folder.join('mount')
    mkdirSync(mount)
    using device = loopDevice(path)
    for (let round = 0; round < 12; round += 1) {
      runTool('mount', [device.path, mount])
      try {
        for (let turn = 0; turn < 3; turn += 1) writeAndRemove(mount, 1500 + 10 * round)
        copySparse(path, folder.join('dirty'))
        runTool('xfs_freeze', ['-f', mount])
        copySparse(path, folder.join('frozen'))
        runTool('xfs_freeze', ['-u', mount])
      } finally {
        runTool('umount', [mount])
      }
      assert.deepEqual(await allocationOf(path), CLEAN)
      assert.deepEqual(await allocationOf(folder.join('frozen')), CLEAN)
      assert.deepEqual(await allocationOf(folder.join('dirty')), DIRTY)
    }
    assert((await logCycle(path)) > 2, 'the log was not filled')
  })
}

test('usedRanges() of a frozen XFS is what xfs_db says', { skip: needsLoopDevices() }, async () => {
  using folder = temporaryFolder()
  makeXfs(folder.join('xfs.img'), [])
  takeSteps(folder, 512)
  const path = folder.join('frozen')
  await using image = fileImage(path)
  const fileSystem = await openXfs(image)
  const found = new Uint8Array(fileSystem.sizeBytes / fileSystem.blockSizeBytes)
  for await (const batch of fileSystem.usedRanges(new AbortController().signal)) {
    for (const { offset, length } of batch) {
      found.fill(1, offset / fileSystem.blockSizeBytes, (offset + length) / fileSystem.blockSizeBytes)
    }
  }
  assert.deepEqual(found, usedXfsBlocks(path))
  assert.deepEqual(fileSystem.findings, [])
})

test('A frozen XFS needs nothing that usedRanges() leaves out', { skip: needsLoopDevices() }, async () => {
  using folder = temporaryFolder()
  makeXfs(folder.join('xfs.img'), [])
  takeSteps(folder, 512)
  const path = folder.join('frozen')
  await overwriteFree(path)
  const mount = folder.join('mount')
  whileMounted(path, mount, () => {
    for (let index = 0; index < 300; index += 1) {
      assert.equal(readFileSync(`${mount}/${index}`, 'utf8'), 'content')
    }
  })
  assertXfsClean(path)
})

test('usedRanges() of an XFS with a dirty log is everything', { skip: needsLoopDevices() }, async () => {
  using folder = temporaryFolder()
  makeXfs(folder.join('xfs.img'), [])
  takeSteps(folder, 512)
  await using image = fileImage(folder.join('written to and synced'))
  const fileSystem = await openXfs(image)
  const batches = await Array.fromAsync(fileSystem.usedRanges(new AbortController().signal))
  assert.deepEqual(batches, [[{ offset: 0, length: SIZE_BYTES }]])
})

function makeXfs(path: string, words: readonly string[]): void {
  writeFileSync(path, '')
  truncateSync(path, SIZE_BYTES)
  runTool('mkfs.xfs', ['-q', ...words, path])
}

/** Copies the image after each step, under the name of the step. */
function takeSteps(folder: TemporaryFolder, sectorSizeBytes: number): void {
  const path = folder.join('xfs.img')
  const mount = folder.join('mount')
  const keep = (step: keyof typeof STEPS): void => copySparse(path, folder.join(step))
  mkdirSync(mount)
  using device = loopDevice(path, { sectorSizeBytes })
  const mounted = (change: () => void): void => {
    runTool('mount', [device.path, mount])
    try {
      change()
    } finally {
      runTool('umount', [mount])
    }
  }
  mounted(() => {
    keep('mounted and not written to')
    writeFiles(mount)
    keep('written to and synced')
    runTool('xfs_freeze', ['-f', mount])
    keep('frozen')
    runTool('xfs_freeze', ['-u', mount])
    for (let index = 0; index < 100; index += 1) rmSync(`${mount}/${index}`)
    runTool('sync', ['-f', mount])
    keep('thawed and written to')
    runTool('xfs_io', ['-x', '-c', 'shutdown', mount])
  })
  keep('shut down without its log')
  mounted(() => writeFiles(mount))
  keep('mounted again and unmounted')
  mounted(() => {
    for (let index = 0; index < 200; index += 1) rmSync(`${mount}/${index}`)
    runTool('xfs_io', ['-x', '-c', 'shutdown -f', mount])
  })
  keep('shut down with its log')
  runTool('sync', [path])
  runTool('xfs_repair', ['-L', device.path])
  keep('with a log that was thrown away')
}

function writeAndRemove(mount: string, count: number): void {
  for (let index = 0; index < count; index += 1) writeFileSync(`${mount}/${index}`, '')
  runTool('sync', ['-f', mount])
  for (let index = 0; index < count; index += 1) rmSync(`${mount}/${index}`)
  runTool('sync', ['-f', mount])
}

async function logCycle(path: string): Promise<number> {
  await using image = fileImage(path)
  const { superblock } = await readSuperblock(image, [])
  return (await logRing({ image, superblock, findings: [] })?.cycleAt(0)) ?? 0
}

function copySparse(path: string, copy: string): void {
  runTool('cp', [path, copy])
}

function writeFiles(mount: string): void {
  for (let index = 0; index < 300; index += 1) writeFileSync(`${mount}/${index}`, 'content')
  runTool('sync', ['-f', mount])
}

async function overwriteFree(path: string): Promise<void> {
  await using image = fileImage(path)
  const fileSystem = await openXfs(image)
  const used = fileSystem.usedRanges(new AbortController().signal)
  const file = openSync(path, 'r+')
  for await (const batch of complementRanges(used, fileSystem)) {
    for (const { offset, length } of batch) {
      const trash = new Uint8Array(Math.min(length, 4 * 2 ** 20)).fill(0xa5)
      for (let done = 0; done < length; done += trash.length) {
        writeSync(file, trash, 0, Math.min(trash.length, length - done), offset + done)
      }
    }
  }
  closeSync(file)
}

async function allocationOf(path: string): Promise<AllocationProof> {
  await using image = fileImage(path)
  return (await openXfs(image)).allocation
}
