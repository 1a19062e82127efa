import assert from 'node:assert/strict'
import { closeSync, openSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { test } from 'node:test'

import { fileImage } from '../../../test/support/bytes-image.ts'
import { runTool } from '../../../test/support/run-tool.ts'
import { temporaryFolder, type TemporaryFolder } from '../../../test/support/temporary-folder.ts'
import type { Finding } from '../finding.ts'
import { FormatError, UnmappedError } from '../format-error.ts'
import { proveAllocation } from './prove-allocation.ts'
import { readSuperblock, type FoundSuperblock } from './read-superblock.ts'

const SIZE_BYTES = 400 * 2 ** 20
const UUID = '6963652d-636f-4265-a001-000000000002'

function makeXfs(folder: TemporaryFolder, words: readonly string[] = []): string {
  const path = folder.join('xfs.img')
  writeFileSync(path, '')
  truncateSync(path, SIZE_BYTES)
  runTool('mkfs.xfs', ['-q', ...words, path])
  return path
}

/** Changes fields and mends the checksum, as the tool's expert mode does. */
function change(path: string, ...commands: readonly string[]): void {
  runTool('xfs_db', ['-x', '-f', ...commands.flatMap((command) => ['-c', command]), path])
}

function overwrite(path: string, offset: number, bytes: Uint8Array): void {
  const file = openSync(path, 'r+')
  writeSync(file, bytes, 0, bytes.byteLength, offset)
  closeSync(file)
}

async function read(path: string, findings: Finding[] = []): Promise<FoundSuperblock> {
  await using image = fileImage(path)
  return await readSuperblock(image, findings)
}

async function doubtOf(path: string): Promise<string | null> {
  await using image = fileImage(path)
  const found = await readSuperblock(image, [])
  const proof = await proveAllocation({ image, superblock: found.superblock, findings: [] }, found)
  return proof.proven ? null : proof.reason
}

test('readSuperblock() reads what mkfs.xfs was told', async () => {
  using folder = temporaryFolder()
  const words = ['-L', 'a label', '-m', `uuid=${UUID},rmapbt=1`, '-s', 'size=4096', '-b', 'size=8192']
  const { superblock, isPrimary } = await read(makeXfs(folder, [...words, '-i', 'size=1024,nrext64=1']))
  assert.equal(isPrimary, true)
  assert.equal(superblock.label, 'a label')
  assert.equal(superblock.uuid.toHex(), UUID.replaceAll('-', ''))
  assert.deepEqual(superblock.metaUuid, superblock.uuid)
  assert.equal(superblock.sectorSizeBytes, 4096)
  assert.equal(superblock.blockSizeBytes, 8192)
  assert.equal(superblock.inodeSizeBytes, 1024)
  assert.equal(superblock.inodesPerBlock, 8)
  assert.equal(superblock.sizeBytes, SIZE_BYTES)
  assert.equal(superblock.features.version, 5)
  assert.equal(superblock.features.reverseMap, true)
  assert.equal(superblock.features.reflink, true)
  assert.equal(superblock.features.bigTime, true)
  assert.equal(superblock.features.largeExtentCounters, true)
})

test('readSuperblock() reads version 4', async () => {
  using folder = temporaryFolder()
  const old = ['-m', 'crc=0,finobt=0,rmapbt=0,reflink=0,bigtime=0,inobtcount=0', '-i', 'sparse=0']
  const { superblock } = await read(makeXfs(folder, [...old, '-n', 'ftype=0']))
  assert.equal(superblock.features.version, 4)
  assert.equal(superblock.features.fileType, false)
  assert.equal(superblock.features.lazyCounters, true)
})

test('readSuperblock() tells the uuid of the metadata from that of the volume', async () => {
  using folder = temporaryFolder()
  const path = makeXfs(folder, ['-m', `uuid=${UUID}`])
  runTool('xfs_db', ['-x', '-f', '-c', 'uuid generate', path])
  const { superblock } = await read(path)
  assert.equal(superblock.features.metaUuid, true)
  assert.equal(superblock.metaUuid.toHex(), UUID.replaceAll('-', ''))
  assert.notDeepEqual(superblock.uuid, superblock.metaUuid)
  assert.equal(await doubtOf(path), null)
})

for (const [name, bytes] of Object.entries({
  'a zero magic': new Uint8Array(4),
  'nothing but zeros': new Uint8Array(4096),
  'a wrong checksum': Uint8Array.from('XFSC', (letter) => letter.charCodeAt(0)),
})) {
  test(`readSuperblock() takes a copy when the first one has ${name}, and proves nothing by it`, async () => {
    using folder = temporaryFolder()
    const path = makeXfs(folder)
    const { superblock } = await read(path)
    overwrite(path, name === 'a wrong checksum' ? 108 : 0, bytes)
    const findings: Finding[] = []
    const copy = await read(path, findings)
    assert.equal(copy.isPrimary, false)
    assert.equal(copy.superblock.agBlocks, superblock.agBlocks)
    assert.equal(copy.superblock.rootInode, superblock.rootInode)
    assert.equal(findings.length, 1)
    assert.match(findings[0]?.found ?? '', /; the copy at byte \d+ is used$/u)
    assert.equal(await doubtOf(path), 'its first superblock is damaged')
  })
}

test('readSuperblock() refuses features that it does not know, by name', async () => {
  for (const [bits, name] of [
    ['0x80000000', /unknown feature bits 0x80000000/u],
    ['0x100', /metadata directory/u],
  ] as const) {
    using folder = temporaryFolder()
    const path = makeXfs(folder)
    change(path, 'sb 0', `write -d features_incompat ${bits}`)
    await assert.rejects(read(path), (error) => error instanceof UnmappedError && name.test(error.message))
  }
})

test('proveAllocation() doubts a file system that needs repair or has an unknown feature', async () => {
  for (const [field, bits, reason] of [
    ['features_incompat', '0x1b', 'it is marked as in need of repair'],
    ['features_ro_compat', '0x4000000d', 'it has features that are not known (0x40000000)'],
  ] as const) {
    using folder = temporaryFolder()
    const path = makeXfs(folder)
    change(path, 'sb 0', `write -d ${field} ${bits}`)
    assert.equal(await doubtOf(path), reason)
  }
})

test('readSuperblock() names a log and a realtime part on another device', async () => {
  using folder = temporaryFolder()
  for (const [name, sizeBytes] of [
    ['log', 100 * 2 ** 20],
    ['realtime', 300 * 2 ** 20],
  ] as const) {
    writeFileSync(folder.join(name), '')
    truncateSync(folder.join(name), sizeBytes)
  }
  const words = ['-l', `logdev=${folder.join('log')},size=64m`, '-r', `rtdev=${folder.join('realtime')}`]
  const path = makeXfs(folder, words)
  const findings: Finding[] = []
  const { superblock } = await read(path, findings)
  assert.equal(superblock.log.startFsBlock, null)
  assert.equal(superblock.realtime?.blockCount, 76_800)
  assert.deepEqual(
    findings.map(({ found }) => found),
    [
      'its log lies on another device, which is not part of this volume',
      'its realtime part, 76800 blocks, lies on another device, which is not part of this volume',
    ],
  )
  assert.equal(await doubtOf(path), 'its log lies on another device')
})

test('readSuperblock() refuses an image that is shorter than the file system', async () => {
  using folder = temporaryFolder()
  const path = makeXfs(folder)
  truncateSync(path, SIZE_BYTES - 4096)
  await assert.rejects(
    read(path),
    (error) => error instanceof FormatError && /the image has/u.test(error.message),
  )
  truncateSync(path, 100)
  await assert.rejects(read(path), FormatError)
})
