import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { fileImage } from '../../../test/support/bytes-image.ts'
import { needsLoopDevices } from '../../../test/support/requirements.ts'
import { runTool } from '../../../test/support/run-tool.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { whileMounted, writeXfsImage, XFS_SIZE_BYTES_MIN } from '../../../test/support/xfs-image.ts'
import type { FileNode, FileSystem } from '../file-system.ts'
import { FormatError, UnmappedError } from '../format-error.ts'
import { openXfs } from './open-xfs.ts'

const NEVER = new AbortController().signal

type Damage = {
  readonly on: 'file' | 'directory' | 'symlink' | 'attributes'
  /** Fields and values for `xfs_db`, which mends the checksum. */
  readonly write: string
  readonly says: RegExp
}

const DAMAGES: Readonly<Record<string, Damage>> = {
  free: { on: 'file', write: 'core.mode 0', says: /it is free$/u },
  unlinked: { on: 'file', write: 'core.nlinkv2 0', says: /it is unlinked: no directory has it$/u },
  elsewhere: { on: 'file', write: 'v3.inumber 5', says: /its own number is 5, expected \d+$/u },
  foreign: { on: 'file', write: 'v3.uuid 00112233-4455-6677-8899-aabbccddeeff', says: /UUID is not that/u },
  magic: { on: 'file', write: 'core.magic 0x4e49', says: /magic is 0x4e49, expected 0x494e$/u },
  old: { on: 'file', write: 'core.version 2', says: /version is 2, expected 3$/u },
  kind: { on: 'file', write: 'core.mode 0170644', says: /mode is 0o170644, which is no kind of file$/u },
  format: { on: 'file', write: 'core.format 7', says: /fork format is 7, expected 0 to 3$/u },
  local: { on: 'file', write: 'core.format 1', says: /its data fork is local, expected extents$/u },
  'fork-offset': {
    on: 'file',
    write: 'core.forkoff 200',
    says: /its attribute fork is at byte 1776, beyond its end$/u,
  },
  'many-extents': {
    on: 'file',
    write: 'core.nextents 1000',
    says: /it has 1000 extents, expected at most \d+$/u,
  },
  'size-beyond-numbers': {
    on: 'file',
    write: 'core.size 0x7000000000000000',
    says: /expected less than 2\^53$/u,
  },
  'extent-outside': { on: 'file', write: 'u3.bmx[0].startblock 0xfffffff', says: /which is not there$/u },
  'extent-across-groups': { on: 'file', write: 'u3.bmx[0].blockcount 2000000', says: /beyond its end$/u },
  'empty-extent': {
    on: 'file',
    write: 'u3.bmx[0].blockcount 0',
    says: /extent 0 is 0 blocks at 0, expected some/u,
  },
  'entry-count': { on: 'directory', write: 'u3.sfdir3.hdr.count 200', says: /within an entry$/u },
  'directory-of-no-size': {
    on: 'directory',
    write: 'core.size 0',
    says: /it ends at byte 0, within an entry$/u,
  },
  'directory-beyond-fork': {
    on: 'directory',
    write: 'core.size 4000',
    says: /size is 4000, and the fork has/u,
  },
  'entry-with-a-slash': {
    on: 'directory',
    write: 'u3.sfdir3.list[0].name "a/c"',
    says: /has a slash or a zero$/u,
  },
  'target-of-no-size': {
    on: 'symlink',
    write: 'core.size 0',
    says: /its target has 0 bytes, expected 1 to 1024$/u,
  },
  'target-beyond-limit': { on: 'symlink', write: 'core.size 1025', says: /its target has 1025 bytes/u },
  'target-beyond-fork': {
    on: 'symlink',
    write: 'core.size 900',
    says: /its target has 900 bytes, and its fork/u,
  },
  'attribute-size': {
    on: 'attributes',
    write: 'a.sfattr.hdr.totsize 60000',
    says: /size is 60000, and the fork/u,
  },
  'attribute-count': { on: 'attributes', write: 'a.sfattr.hdr.count 90', says: /within an attribute$/u },
}

test(
  'openXfs() names what is wrong with an inode, and reads the others',
  { skip: needsLoopDevices() },
  async () => {
    using folder = temporaryFolder()
    const path = folder.join('xfs.img')
    writeXfsImage(path, { sizeBytes: XFS_SIZE_BYTES_MIN })
    const mount = folder.join('mount')
    const names = [...Object.keys(DAMAGES), 'realtime', 'broken', 'sound']
    whileMounted(path, mount, () => {
      for (const name of names) makeFiles(`${mount}/${name}`)
    })
    const writes = Object.entries(DAMAGES).flatMap(([name, { on, write }]) => [
      '-c',
      `path /${name}/${on}`,
      '-c',
      `write -d ${write}`,
    ])
    writes.push('-c', 'path /realtime/file', '-c', 'write -d core.realtime 1')
    // In one run: `xfs_db` itself refuses to read inodes beside damaged ones.
    runTool('xfs_db', ['-x', ...writes, '-c', 'path /broken/file', '-c', 'write -c core.uid 7', path])
    await using image = fileImage(path)
    const fileSystem = await openXfs(image)
    for (const [name, { on, says }] of Object.entries(DAMAGES)) {
      await assert.rejects(readAll(fileSystem, name, on), (error) => {
        assert.ok(error instanceof FormatError, String(error))
        assert.match(error.message, says, name)
        return true
      })
    }
    await assert.rejects(readAll(fileSystem, 'realtime', 'file'), UnmappedError)
    await assert.rejects(readAll(fileSystem, 'broken', 'file'), /checksum is 0x[0-9a-f]+, expected 0x/u)
    for (const file of ['file', 'directory', 'symlink', 'attributes'])
      await readAll(fileSystem, 'sound', file)
  },
)

function makeFiles(folder: string): void {
  mkdirSync(folder)
  writeFileSync(`${folder}/file`, 'content')
  mkdirSync(`${folder}/directory`)
  writeFileSync(`${folder}/directory/abc`, '')
  symlinkSync('target', `${folder}/symlink`)
  writeFileSync(`${folder}/attributes`, '')
  runTool('setfattr', ['-n', 'user.note', '-v', 'value', `${folder}/attributes`])
}

/** Reads a file and all that belongs to it. */
async function readAll(fileSystem: FileSystem, ...path: readonly string[]): Promise<void> {
  let node: FileNode = await fileSystem.readNode(fileSystem.rootInodeNumber)
  for (const name of path) {
    let found: number | undefined
    for await (const batch of fileSystem.readDirectory(node, NEVER)) {
      found ??= batch.find((entry) => Buffer.from(entry.name).toString() === name)?.inodeNumber
    }
    assert.ok(found !== undefined, name)
    node = await fileSystem.readNode(found)
  }
  await fileSystem.readAttributes(node)
  if (node.kind === 'symlink') await fileSystem.readSymlink(node)
  if (node.kind === 'directory') for await (const _ of fileSystem.readDirectory(node, NEVER));
  if (node.kind !== 'file') return
  const range = { offset: 0, length: Math.max(1, node.sizeBytes) }
  for await (const _ of fileSystem.fileExtents(node, range, NEVER));
}

test(
  'openXfs() says that a log needs recovery, and reads the files',
  { skip: needsLoopDevices() },
  async () => {
    using folder = temporaryFolder()
    const path = folder.join('xfs.img')
    const copy = folder.join('copy.img')
    writeXfsImage(path, { sizeBytes: XFS_SIZE_BYTES_MIN })
    const mount = folder.join('mount')
    whileMounted(path, mount, () => makeFiles(`${mount}/before`))
    whileMounted(path, mount, () => {
      makeFiles(`${mount}/after`)
      runTool('sync', ['-f', mount])
      runTool('cp', ['--sparse=always', path, copy])
    })
    truncateSync(copy, XFS_SIZE_BYTES_MIN)
    await using image = fileImage(copy)
    const fileSystem = await openXfs(image)
    assert.deepEqual(fileSystem.allocation, { proven: false, reason: 'its log needs recovery' })
    assert.match(fileSystem.findings[0]?.found ?? '', /^its log needs recovery; files are read as they lie/u)
    await readAll(fileSystem, 'before', 'file')
  },
)
