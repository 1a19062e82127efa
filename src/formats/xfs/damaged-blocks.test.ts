import assert from 'node:assert/strict'
import { truncateSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { fileImage } from '../../../test/support/bytes-image.ts'
import { needsLoopDevices } from '../../../test/support/requirements.ts'
import { runTool } from '../../../test/support/run-tool.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { whileMounted } from '../../../test/support/xfs-image.ts'
import { fillXfs } from '../../../test/support/xfs-tree.ts'
import type { FileSystem } from '../file-system.ts'
import { FormatError } from '../format-error.ts'
import { openXfs } from './open-xfs.ts'

const NEVER = new AbortController().signal

type Damage = {
  readonly path: string
  /** What `xfs_db` goes to from the inode, and writes there; it mends the checksum, but not of symlinks. */
  readonly commands: readonly string[]
  readonly says: RegExp
}

const DAMAGES: readonly Damage[] = [
  {
    path: '/leaf',
    commands: ['dblock 0', 'write -d du[2].tag 0x30'],
    says: /the entry at 96 says that it is at 48$/u,
  },
  {
    path: '/node',
    commands: ['dblock 0', 'write -d dhdr.hdr.magic 1'],
    says: /magic is 0x1, expected 0x58444433$/u,
  },
  {
    path: '/turn a',
    commands: ['dblock 4', 'write -d dhdr.hdr.owner 5'],
    says: /owner is inode 5, expected \d+$/u,
  },
  {
    path: '/turn b',
    commands: ['dblock 4', 'write -d dhdr.hdr.bno 5'],
    says: /its own address is sector 5, expected \d+$/u,
  },
  {
    path: '/one block',
    commands: ['dblock 0', 'write -d btail.count 60000'],
    says: /it has 60000 hashes, more than/u,
  },
  {
    path: '/files/fragmented',
    commands: ['addr u3.bmbt.ptrs[1]', 'write -d level 5'],
    says: /level is 5, expected \d$/u,
  },
  {
    path: '/special/link of 1023',
    commands: ['dblock 0', 'write -d offset 5'],
    says: /checksum is 0x[0-9a-f]+, expected 0x/u,
  },
  {
    path: '/attributes/list with much else',
    commands: ['ablock 0', 'write -d hdr.count 60000'],
    says: /it has 60000 entries, more than it can hold$/u,
  },
  {
    path: '/attributes/leaf',
    commands: ['ablock 0', 'write -d hdr.count 60000'],
    says: /it holds 60000 children, expected 1 to 120$/u,
  },
  {
    path: '/attributes/node',
    commands: ['ablock 1', 'write -d hdr.info.hdr.forw 1'],
    says: /its next leaf is 1, which was met before$/u,
  },
  {
    path: '/attributes/turn a',
    commands: ['ablock 0', 'write -d hdr.level 9'],
    says: /level is 9, expected 1 to 5$/u,
  },
  {
    path: '/attributes/turn b',
    commands: ['ablock 0', 'write -d btree[0].before 70000'],
    says: /block 70000 of the fork is a hole$/u,
  },
  {
    path: '/attributes/remote',
    commands: ['ablock 1', 'write -d hdr.bytes 5'],
    says: /it has 5 bytes from 0, expected 968 from 0$/u,
  },
  {
    path: '/attributes/many remote',
    commands: ['ablock 0', 'write -d nvlist[0].valuelen 70000'],
    says: /it has an attribute of 70000 bytes/u,
  },
]

test(
  'openXfs() names what is wrong with a block, and reads the rest',
  { skip: needsLoopDevices() },
  async () => {
    using folder = temporaryFolder()
    const path = folder.join('xfs.img')
    const mount = folder.join('mount')
    writeFileSync(path, '')
    truncateSync(path, 400 * 2 ** 20)
    runTool('mkfs.xfs', ['-q', '-b', 'size=1024', path])
    const tree = { entryCount: 1000, fragmentCount: 1000, blockSizeBytes: 1024, hasReflink: false }
    whileMounted(path, mount, () => fillXfs(mount, tree))
    await using image = fileImage(path)
    const before = await readAll(await openXfs(image))
    assert.deepEqual([...before.errors], [])
    const words = DAMAGES.flatMap(({ path: name, commands }) => [
      `inode ${before.numbers.get(name)}`,
      ...commands,
    ])
    runTool('xfs_db', ['-x', ...words.flatMap((word) => ['-c', word]), path])
    const after = await readAll(await openXfs(image))
    for (const { path: name, says } of DAMAGES) assert.match(after.errors.get(name) ?? 'no error', says, name)
    assert.equal(after.errors.size, DAMAGES.length)
    for (const file of [
      '/files/large',
      '/target',
      '/short',
      '/attributes/short form',
      '/special/short link',
    ]) {
      assert.ok(after.numbers.has(file), file)
    }
  },
)

type AllRead = {
  readonly numbers: ReadonlyMap<string, number>
  readonly errors: ReadonlyMap<string, string>
}

/** Every file wholly; what is wrong with it, by its path. */
async function readAll(fileSystem: FileSystem): Promise<AllRead> {
  const numbers = new Map<string, number>()
  const errors = new Map<string, string>()
  const visit = async (path: string, number: number): Promise<void> => {
    numbers.set(path, number)
    try {
      const node = await fileSystem.readNode(number)
      await fileSystem.readAttributes(node)
      if (node.kind === 'symlink') await fileSystem.readSymlink(node)
      if (node.kind === 'file' && node.sizeBytes > 0) {
        for await (const _ of fileSystem.fileExtents(node, { offset: 0, length: node.sizeBytes }, NEVER));
      }
      if (node.kind !== 'directory') return
      for await (const batch of fileSystem.readDirectory(node, NEVER)) {
        for (const { name, inodeNumber } of batch) {
          await visit(`${path}/${Buffer.from(name).toString('latin1')}`, inodeNumber)
        }
      }
    } catch (error) {
      assert.ok(error instanceof FormatError, String(error))
      errors.set(path, error.message)
    }
  }
  await visit('', fileSystem.rootInodeNumber)
  return { numbers, errors }
}
