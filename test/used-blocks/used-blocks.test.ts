import assert from 'node:assert/strict'
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { assertExt4Clean, changeExt4Image } from '../support/ext4-image.ts'
import { lvmDevices, needsLvm } from '../support/lvm-devices.ts'
import { mixedBytes } from '../support/mixed-bytes.ts'
import { needsLoopDevices } from '../support/requirements.ts'
import { runTool } from '../support/run-tool.ts'
import { writeSampleFiles } from '../support/sample-files.ts'
import type { TemporaryFolder } from '../support/temporary-folder.ts'
import { temporaryRepository, type TemporaryRepository } from '../support/temporary-repository.ts'
import { assertXfsClean, whileMounted, writeXfsImage, XFS_SIZE_BYTES_MIN } from '../support/xfs-image.ts'

const MIB = 1024 * 1024
const CHUNK = 64 * 1024
const SIZE = 48 * MIB

/** An ext4 with files in it, on a disk that had something else before: every free block holds old bytes. */
function writeUsedExt4(folder: TemporaryFolder, path: string, words: readonly string[] = []): void {
  const files = folder.join('files')
  mkdirSync(files, { recursive: true })
  if (readDirectory(files).length === 0) writeSampleFiles(files)
  writeFileSync(path, mixedBytes('old content', SIZE))
  runTool('mke2fs', ['-q', '-F', '-t', 'ext4', '-b', '4096', '-E', 'nodiscard', '-d', files, ...words, path])
}

function readDirectory(folder: string): string[] {
  return runTool('ls', [folder])
    .split('\n')
    .filter((name) => name !== '')
}

/** Every chunk is what the source has there, or zeros; returns how many bytes are zeros instead. */
function assertSameOrLeftOut(restored: string, source: string): number {
  const [left, right] = [readFileSync(restored), readFileSync(source)]
  assert.equal(left.byteLength, right.byteLength)
  const zeros = Buffer.alloc(CHUNK)
  let leftOut = 0
  for (let at = 0; at < left.byteLength; at += CHUNK) {
    const chunk = left.subarray(at, at + CHUNK)
    if (chunk.equals(right.subarray(at, at + CHUNK))) continue
    assert.ok(chunk.equals(zeros.subarray(0, chunk.byteLength)), `chunk at ${at} is neither right nor zero`)
    leftOut += chunk.byteLength
  }
  return leftOut
}

/** All files of two ext4 images, as `debugfs` writes them out. */
function assertSameFiles(folder: TemporaryFolder, images: readonly [string, string]): void {
  const [first, second] = images.map((image, index) => {
    const target = folder.join(`dump-${index}`)
    runTool('rm', ['-rf', target])
    mkdirSync(target)
    runTool('debugfs', ['-R', `rdump / ${target}`, image])
    return target
  })
  runTool('diff', ['-r', '--no-dereference', first ?? '', second ?? ''])
}

async function restore(repository: TemporaryRepository, point = 'latest'): Promise<string> {
  const target = repository.folder.join('restored')
  await repository.restore([point, '--to', target, '--overwrite'])
  return target
}

test('backup leaves out what an ext4 proves free, and the restored one is clean and has the same files', async () => {
  using repository = await temporaryRepository()
  const image = repository.folder.join('volume')
  writeUsedExt4(repository.folder, image)
  const made = await repository.backup([image, '--name', 'v'])
  const [object] = made.objects
  assert.ok(object !== undefined && object.freeBytes !== null && object.freeBytes > 20 * MIB)
  // mke2fs makes holes for inode tables, which are neither read nor free.
  assert.ok(object.readBytes + object.freeBytes <= SIZE)
  assert.deepEqual(object.volumes, [{ name: '', format: 'ext4', reason: null }])
  const target = await restore(repository)
  // Some of the old content was zeros as well.
  const leftOut = assertSameOrLeftOut(target, image)
  assert.ok(leftOut > 20 * MIB && leftOut <= object.freeBytes)
  assertExt4Clean(target)
  assertSameFiles(repository.folder, [target, image])
})

test('backup --whole reads everything, and after it a backup that does not leaves out what is free', async () => {
  using repository = await temporaryRepository()
  const image = repository.folder.join('volume')
  writeUsedExt4(repository.folder, image)
  const whole = await repository.backup([image, '--name', 'v', '--whole'])
  assert.ok((whole.objects[0]?.readBytes ?? 0) > 40 * MIB)
  assert.equal(whole.objects[0]?.freeBytes, null)
  assert.equal(assertSameOrLeftOut(await restore(repository), image), 0)
  const made = await repository.backup([image, '--name', 'v'])
  assert.ok(assertSameOrLeftOut(await restore(repository), image) > 20 * MIB)
  assert.equal(made.objects[0]?.newChunkCount, 0)
})

for (const isKnown of [true, false]) {
  test(`backup with a change list reads what was free in the base and is in use now, and does not blame the list; ${isKnown ? 'known since' : 'looked up'}`, async () => {
    using repository = await temporaryRepository()
    const image = repository.folder.join('volume')
    writeUsedExt4(repository.folder, image)
    const base = await repository.backup([image, '--name', 'v'])
    const before = readFileSync(image)
    // Blocks get used without being written: what they hold is the old content of the disk.
    changeExt4Image(image, [
      `write /dev/null taken`,
      `fallocate taken 0 2500`,
      `set_inode_field taken size 10240000`,
    ])
    const changes = repository.folder.join('changes')
    writeFileSync(changes, JSON.stringify(differences(before, readFileSync(image))))
    const known = join(repository.cachePath, 'icecore', 'left-out')
    assert.deepEqual(namesBelow(known), [`${base.pointId}.left-out`])
    if (!isKnown) rmSync(known, { recursive: true })
    const made = await repository.backup([
      image,
      '--name',
      'v',
      '--changes',
      changes,
      '--witnesses',
      '100000',
    ])
    assert.deepEqual(namesBelow(known), [`${made.pointId}.left-out`])
    assert.equal(made.done.mode, 'incremental')
    assert.ok((made.objects[0]?.readBytes ?? 0) > 10 * MIB)
    const target = await restore(repository)
    assertExt4Clean(target)
    assertSameOrLeftOut(target, image)
    // Asked for everything, the same list is true as well: what the base left out is read.
    const whole = await repository.backup([
      image,
      '--name',
      'v',
      '--whole',
      '--changes',
      emptyList(repository),
    ])
    assert.equal(whole.done.mode, 'incremental')
    assert.equal(assertSameOrLeftOut(await restore(repository), image), 0)
  })
}

/** Of the files in the folders in a folder. */
function namesBelow(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => readdirSync(join(folder, name)))
}

test('backup with a change list does not blame the list for what is free since the base', async () => {
  using repository = await temporaryRepository()
  const image = repository.folder.join('volume')
  writeUsedExt4(repository.folder, image)
  changeExt4Image(image, [
    'write /dev/null gone',
    'fallocate gone 0 2500',
    'set_inode_field gone size 10240000',
  ])
  const first = await repository.backup([image, '--name', 'v'])
  const before = readFileSync(image)
  changeExt4Image(image, ['rm gone'])
  const changes = repository.folder.join('changes')
  // The bytes of the file are still there: no list of changes names them.
  writeFileSync(changes, JSON.stringify(differences(before, readFileSync(image))))
  const list = ['--name', 'v', '--changes', changes]
  const made = await repository.backup([image, ...list, '--rotation', '1'])
  assert.equal(made.done.mode, 'incremental')
  assert.deepEqual(made.degraded, [])
  const target = await restore(repository)
  assertExt4Clean(target)
  assert.ok(assertSameOrLeftOut(target, image) > 20 * MIB)
  // What the deletion wrote is in use: a list without it is found out.
  const wrong = ['--name', 'v', '--changes', emptyList(repository), '--base', first.pointId]
  const compared = await repository.backup([image, ...wrong, '--rotation', '1'], 3)
  assert.deepEqual(
    compared.degraded.map(({ code }) => code),
    ['CHANGE_LIST_REFUTED'],
  )
})

function emptyList(repository: TemporaryRepository): string {
  const path = repository.folder.join('no-changes')
  writeFileSync(path, '[]')
  return path
}

function differences(before: Buffer, after: Buffer): { offset: number; length: number; exists: string }[] {
  const list = []
  for (let offset = 0; offset < after.byteLength; offset += 4096) {
    if (before.subarray(offset, offset + 4096).equals(after.subarray(offset, offset + 4096))) continue
    list.push({ offset, length: 4096, exists: 'true' })
  }
  return list
}

test('backup reads all of a file system whose journal needs recovery, and says why', async () => {
  using repository = await temporaryRepository()
  const image = repository.folder.join('volume')
  writeUsedExt4(repository.folder, image)
  changeExt4Image(image, ['feature needs_recovery'])
  const made = await repository.backup([image, '--name', 'v'])
  assert.equal(made.objects[0]?.freeBytes, 0)
  assert.match(made.objects[0]?.volumes[0]?.reason ?? '', /journal needs recovery/)
  assert.equal(assertSameOrLeftOut(await restore(repository), image), 0)
})

test('backup looks into the partitions of a disk', { skip: needsLoopDevices() }, async () => {
  using repository = await temporaryRepository()
  const { folder } = repository
  const [ext4, xfs, disk] = ['ext4', 'xfs', 'disk'].map((name) => folder.join(name))
  assert.ok(ext4 !== undefined && xfs !== undefined && disk !== undefined)
  writeUsedExt4(folder, ext4)
  writeXfsImage(xfs, { sizeBytes: XFS_SIZE_BYTES_MIN })
  whileMounted(xfs, folder.join('mounted'), () => writeSampleFiles(folder.join('mounted')))
  writeFileSync(disk, '')
  truncateSync(disk, XFS_SIZE_BYTES_MIN + SIZE + 4 * MIB)
  const script = `label: gpt\nstart=2048, size=${SIZE / 512}\nsize=${XFS_SIZE_BYTES_MIN / 512}\n`
  runTool('sfdisk', ['--quiet', disk], { input: script })
  const xfsStart = MIB + SIZE
  for (const [path, start] of [
    [ext4, MIB],
    [xfs, xfsStart],
  ] as const) {
    runTool('dd', [`if=${path}`, `of=${disk}`, 'bs=1M', `seek=${start / MIB}`, 'conv=notrunc', 'status=none'])
  }
  const made = await repository.backup([disk])
  assert.deepEqual(made.objects[0]?.volumes, [
    { name: 'p1', format: 'ext4', reason: null },
    { name: 'p2', format: 'xfs', reason: null },
  ])
  assert.ok((made.objects[0]?.freeBytes ?? 0) > XFS_SIZE_BYTES_MIN / 2)
  const target = await restore(repository)
  assertSameOrLeftOut(target, disk)
  for (const [path, start, size] of [
    [ext4, MIB, SIZE],
    [xfs, xfsStart, XFS_SIZE_BYTES_MIN],
  ] as const) {
    const args = ['bs=1M', `skip=${start / MIB}`, `count=${size / MIB}`, 'status=none']
    runTool('dd', [`if=${target}`, `of=${path}`, ...args])
  }
  assertExt4Clean(ext4)
  assertXfsClean(xfs)
})

test('backup looks into logical volumes, and finds what no volume has', { skip: needsLvm() }, async () => {
  using repository = await temporaryRepository()
  const { folder } = repository
  const file = folder.join('ext4')
  writeUsedExt4(folder, file)
  const copy = folder.join('disk')
  let start: number
  {
    using lvm = lvmDevices(folder, { sizesBytes: [160 * MIB] })
    const [device] = lvm.devices
    assert.ok(device !== undefined)
    lvm.lvm('pvcreate', device)
    lvm.lvm('vgcreate', 'vg0', device)
    lvm.lvm('lvcreate', '-an', '-Zn', '-Wn', '-L', '24m', '-n', 'other', 'vg0')
    lvm.lvm('lvcreate', '-an', '-Zn', '-Wn', '-L', `${SIZE}b`, '-n', 'home', 'vg0')
    const [row] = lvm.report('pvs', '-o', 'pe_start')
    start = Number(row?.['pe_start']) + 24 * MIB
    copyFileSync(lvm.images[0] ?? '', copy)
  }
  runTool('dd', [`if=${file}`, `of=${copy}`, 'bs=1M', `seek=${start / MIB}`, 'conv=notrunc', 'status=none'])
  const made = await repository.backup([copy])
  const home = made.objects[0]?.volumes.find((volume) => volume.name === 'vg0/home')
  assert.deepEqual(home, { name: 'vg0/home', format: 'ext4', reason: null })
  // 160 MiB less the two volumes were never used; half of one of them is free.
  assert.ok((made.objects[0]?.freeBytes ?? 0) > 100 * MIB)
  const target = await restore(repository)
  assertSameOrLeftOut(target, copy)
  const args = ['bs=1M', `skip=${start / MIB}`, `count=${SIZE / MIB}`, 'status=none']
  runTool('dd', [`if=${target}`, `of=${file}`, ...args])
  assertExt4Clean(file)
})
