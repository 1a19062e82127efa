import assert from 'node:assert/strict'
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { test } from 'node:test'

import { bytesImage } from '../../../../test/support/bytes-image.ts'
import { dirtyExt4 } from '../../../../test/support/dirty-ext4.ts'
import { needsLoopDevices } from '../../../../test/support/requirements.ts'
import { runTool } from '../../../../test/support/run-tool.ts'
import { seededRandomness } from '../../../../test/support/seeded-randomness.ts'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import type { FileSystem } from '../../file-system.ts'
import { UnmappedError } from '../../format-error.ts'
import { walkFiles } from '../../../../test/support/walk-files.ts'
import { ext4Checksum } from '../checksum.ts'
import { openExt4 } from '../open-ext4.ts'
import { FastCommitTag } from './fast-commit-records.ts'

const SYSTEM = { skip: needsLoopDevices() }
const BLOCK_SIZE = 1024
const HEAD = Buffer.of(9, 0, 8, 0, 0, 0, 0, 0)
/** Records are of four bytes at least; a tail ends with its checksum. */
const HEADER_SIZE = 4
const TAIL_CHECKED_SIZE = 8

type Frozen = {
  readonly bytes: Buffer
  /** A copy, of which tests change the fast commits; one at a time. */
  readonly changed: Buffer
  readonly place: number
  readonly transaction: number
}
let frozen: Frozen | undefined

const COMMIT_COUNT = 3
/** The kernel is free to write a whole transaction instead, and on a busy machine it does now and then. */
const TRIES_MAX = 10

/** An image with three fast commits of a file, and where the first of them begins. */
function frozenImage(): Frozen {
  for (let attempt = 1; frozen === undefined && attempt <= TRIES_MAX; attempt += 1) frozen = freezeOnce()
  assert(frozen !== undefined, `the kernel wrote no ${COMMIT_COUNT} fast commits in ${TRIES_MAX} tries`)
  return frozen
}

/** Undefined when there are fewer commits. */
function freezeOnce(): Frozen | undefined {
  using folder = temporaryFolder()
  const words = ['-O', 'fast_commit', '-b', String(BLOCK_SIZE)]
  const { path } = dirtyExt4(folder, words, (mountPoint) => {
    mkdirSync(`${mountPoint}/folder`)
    writeFileSync(`${mountPoint}/file`, 'begun')
    runTool('sync', ['--file-system', mountPoint])
    for (const content of ['one', 'one, two', 'one, two, three']) {
      const file = openSync(`${mountPoint}/file`, 'r+')
      writeSync(file, content)
      fsyncSync(file)
      closeSync(file)
    }
  })
  const bytes = readFileSync(path)
  const place = bytes.indexOf(HEAD)
  if (place === -1) return undefined
  assert(place > 0 && place % BLOCK_SIZE === 0)
  // Each begins a block, with the tag of its first record.
  if (bytes.readUInt16LE(place + (COMMIT_COUNT - 1) * BLOCK_SIZE) === 0) return undefined
  return { bytes, changed: Buffer.from(bytes), place, transaction: bytes.readUInt32LE(place + 8) }
}

type Written = readonly [tag: number, value: Uint8Array]

function u32(...values: readonly number[]): Buffer {
  return Buffer.from(Uint32Array.from(values).buffer)
}

/** One commit that fills a block, as the kernel writes it. */
function encodeCommit(transaction: number, records: readonly Written[], features = 0): Buffer {
  const block = Buffer.alloc(BLOCK_SIZE)
  let at = 0
  const put = (tag: number, value: Uint8Array, length = value.byteLength): void => {
    block.writeUInt16LE(tag, at)
    block.writeUInt16LE(length, at + 2)
    block.set(value, at + HEADER_SIZE)
    at += HEADER_SIZE + value.byteLength
  }
  put(FastCommitTag.Head, u32(features, transaction))
  for (const [tag, value] of records) put(tag, value)
  put(FastCommitTag.Tail, u32(transaction), BLOCK_SIZE - at - HEADER_SIZE)
  block.writeUInt32LE(ext4Checksum(block.subarray(0, at), 0), at)
  return block
}

/** The image with a block of fast commits, and none behind it. */
async function openWith(block: Uint8Array): Promise<FileSystem> {
  const { changed, place } = frozenImage()
  changed.fill(0, place, place + 4 * BLOCK_SIZE)
  changed.set(block, place)
  return await openExt4(bytesImage(changed))
}

async function sizeOfFile(fileSystem: FileSystem): Promise<number> {
  const { signal } = new AbortController()
  const root = await fileSystem.readNode(fileSystem.rootInodeNumber)
  for await (const batch of fileSystem.readDirectory(root, signal)) {
    for (const { name, inodeNumber } of batch) {
      if (Buffer.from(name).toString() === 'file') return (await fileSystem.readNode(inodeNumber)).sizeBytes
    }
  }
  throw new Error('There is no such file')
}

test('openExt4() takes fast commits up to the last whole one, as they were written', SYSTEM, async () => {
  const { bytes, place } = frozenImage()
  const sizes: number[] = []
  for (let commit = 0; commit < 3; commit += 1) {
    const cut = Buffer.from(bytes)
    const record = place + commit * BLOCK_SIZE + 40
    cut.writeUInt8(cut.readUInt8(record) ^ 1, record)
    const fileSystem = await openExt4(bytesImage(cut))
    sizes.push(await sizeOfFile(fileSystem))
    const found = fileSystem.findings.map((finding) => finding.found)
    if (commit > 0) assert.deepEqual(found, [])
    else assert.match(found[0] ?? '', /^fast commits begin, and none is whole: checksum is 0x\w+, expected/)
  }
  sizes.push(await sizeOfFile(await openExt4(bytesImage(bytes))))
  assert.deepEqual(sizes, [5, 5, 8, 15])
})

test('openExt4() leaves out fast commits of another transaction, without a word', SYSTEM, async () => {
  const { transaction } = frozenImage()
  const fileSystem = await openWith(encodeCommit(transaction + 1, [[FastCommitTag.Unlink, unlinkFile()]]))
  assert.deepEqual(fileSystem.findings, [])
  assert.equal(await sizeOfFile(fileSystem), 5)
})

test('openExt4() takes what was written as it is documented', SYSTEM, async () => {
  const { transaction } = frozenImage()
  const fileSystem = await openWith(encodeCommit(transaction, [[FastCommitTag.Unlink, unlinkFile()]]))
  await assert.rejects(sizeOfFile(fileSystem), { message: 'There is no such file' })
  assert.deepEqual(fileSystem.findings, [])
})

const ROOT = 2
const FOLDER = 12
const FILE = 13

function unlinkFile(): Buffer {
  return Buffer.concat([u32(ROOT, FILE), Buffer.from('file')])
}

/** What is said of a record, and whether the file is refused from then on. */
const SAID: readonly (readonly [what: string, record: Written, said: RegExp, isRefused?: 'refused'])[] = [
  [
    'blocks behind the end of the file system',
    [FastCommitTag.AddRange, u32(FILE, 0, 1, 0x7fffffff)],
    /^blocks of inode 13 were changed: .*: blocks are 2147483647 to 2147483647, expected/,
    'refused',
  ],
  [
    'the block of the superblock',
    [FastCommitTag.AddRange, u32(FILE, 0, 1, 1)],
    /^blocks of inode 13 were changed: .*: blocks are 1 to 1, expected/,
    'refused',
  ],
  [
    'blocks of a directory',
    [FastCommitTag.DeleteRange, u32(FOLDER, 0, 1)],
    /^blocks of inode 12 were changed: it is a directory/,
  ],
  ['no inode', [FastCommitTag.DeleteRange, u32(0, 0, 1)], /^it is about inode 0, which is not there/],
  [
    'an inode behind the last',
    [FastCommitTag.DeleteRange, u32(0xffffffff, 0, 1)],
    /^it is about inode 4294967295, which is not there: .*: the last inode is 16384/,
  ],
  [
    'a name in a file',
    [FastCommitTag.Link, Buffer.concat([u32(FILE, FOLDER), Buffer.from('name')])],
    /^names in directory 13 were changed, which cannot be done again: .*: it is a file/,
    'refused',
  ],
  [
    'a name that is a path',
    [FastCommitTag.Create, Buffer.concat([u32(ROOT, FILE), Buffer.from('../name')])],
    /^inode 13 is given a name that no file can have/,
  ],
  [
    'a name that another file has',
    [FastCommitTag.Link, Buffer.concat([u32(ROOT, FOLDER), Buffer.from('file')])],
    /^inode 12 is given a name in directory 2 that inode 13 has; the name is left as it is/,
  ],
  [
    'an inode of another generation',
    [FastCommitTag.Inode, Buffer.concat([u32(FILE), Buffer.alloc(128, 1)])],
    /^inode 13 was changed: it is of another generation, and no file was made/,
    'refused',
  ],
]
for (const [what, record, said, isRefused] of SAID) {
  test(`openExt4() says what it cannot do again: ${what}`, SYSTEM, async () => {
    const { transaction, place } = frozenImage()
    const fileSystem = await openWith(encodeCommit(transaction, [record]))
    assert.equal(fileSystem.findings.length, 1)
    const [finding] = fileSystem.findings
    assert.match(finding?.found ?? '', said)
    assert.equal(finding?.structure, 'ext4 fast commit')
    assert.equal(finding.offsetBytes, place + HEADER_SIZE + 8)
    if (isRefused === 'refused') await assert.rejects(sizeOfFile(fileSystem), UnmappedError)
    else assert.equal(await sizeOfFile(fileSystem), 5)
  })
}

const BROKEN: Readonly<Record<string, (transaction: number) => [Buffer, RegExp]>> = {
  'features that are not known': (transaction) => [
    encodeCommit(transaction, [], 4),
    /none is whole: it has features 0x4, not known; none is replayed/,
  ],
  'a record that is too short': (transaction) => [
    encodeCommit(transaction, [[FastCommitTag.AddRange, u32(FILE)]]),
    /none is whole: record 0x1 at byte 12 of it has 4 bytes/,
  ],
  'a tag that is not known': (transaction) => [
    encodeCommit(transaction, [[0x77, u32(FILE)]]),
    /none is whole: record 0x77 at byte 12 of it has 4 bytes/,
  ],
  'no end': (transaction) => {
    const block = encodeCommit(transaction, [])
    block.writeUInt16LE(FastCommitTag.Padding, 12)
    return [block, /none is whole: record 0x0 at byte 0 of it has 0 bytes/]
  },
}
for (const [what, make] of Object.entries(BROKEN)) {
  test(`openExt4() says why it takes no fast commit: ${what}`, SYSTEM, async () => {
    const [block, said] = make(frozenImage().transaction)
    const fileSystem = await openWith(block)
    assert.equal(fileSystem.findings.length, 1)
    assert.match(fileSystem.findings[0]?.found ?? '', said)
    assert.equal(await sizeOfFile(fileSystem), 5)
  })
}

test('openExt4() refuses, reports or reads whatever sound checksums are on', SYSTEM, async () => {
  const { bytes, place, transaction } = frozenImage()
  const sound: Written[] = [
    [FastCommitTag.Inode, Buffer.concat([u32(FILE), inodeBytes(bytes, place)])],
    [FastCommitTag.AddRange, u32(FILE, 3, 5, 9000)],
    [FastCommitTag.DeleteRange, u32(FILE, 4, 1)],
    [FastCommitTag.Create, Buffer.concat([u32(ROOT, 14), Buffer.from('made')])],
    [FastCommitTag.Link, Buffer.concat([u32(FOLDER, FOLDER), Buffer.from('loop')])],
    [FastCommitTag.Unlink, unlinkFile()],
  ]
  const random = seededRandomness(3)
  const { signal } = new AbortController()
  for (let round = 0; round < 400; round += 1) {
    const records = sound.map(([tag, value]): Written => {
      const changed = Buffer.from(value)
      for (let count = random.below(3); count > 0; count -= 1) {
        changed.writeUInt8(random.below(256), random.below(changed.byteLength))
      }
      return [tag, changed]
    })
    const fileSystem = await openWith(
      encodeCommit(
        transaction,
        records.toSorted(() => random.below(3) - 1),
      ),
    )
    const root = await fileSystem.readNode(fileSystem.rootInodeNumber).catch(unlessRefused)
    if (root === null) continue
    for await (const batch of walkFiles(fileSystem, root, signal)) {
      for (const file of batch) {
        if (file.kind !== 'file' || file.node.kind !== 'file') continue
        const range = { offset: 0, length: Math.min(file.node.sizeBytes, 1_000_000) }
        await Array.fromAsync(fileSystem.fileExtents(file.node, range, signal)).catch(unlessRefused)
      }
    }
  }
})

/** The inode in the first record of the kernel's own commit. */
function inodeBytes(bytes: Buffer, place: number): Buffer {
  const start = place + HEADER_SIZE + TAIL_CHECKED_SIZE
  assert.equal(bytes.readUInt16LE(start), FastCommitTag.Inode)
  return bytes.subarray(start + HEADER_SIZE + 4, start + HEADER_SIZE + bytes.readUInt16LE(start + 2))
}

function unlessRefused(error: unknown): null {
  if (error instanceof Error && ['FormatError', 'UnmappedError'].includes(error.name)) return null
  throw error
}
