import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { fileImage } from '../../../test/support/bytes-image.ts'
import { digestOf } from '../../../test/support/file-tree.ts'
import { loopDevice } from '../../../test/support/loop-device.ts'
import { needsLoopDevices, type SkipReason } from '../../../test/support/requirements.ts'
import { runTool } from '../../../test/support/run-tool.ts'
import { sha256File } from '../../../test/support/sha256-file.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import type { FileNode, FileSystem } from '../file-system.ts'
import { UnmappedError } from '../format-error.ts'
import { resolvePath } from '../resolve-path.ts'
import { walkFiles } from '../../../test/support/walk-files.ts'
import { openExt4 } from './open-ext4.ts'

const { signal } = new AbortController()

test('openExt4() reads blocks of 64 KiB', async () => {
  using folder = temporaryFolder()
  const source = folder.join('tree')
  mkdirSync(source)
  for (let index = 0; index < 3000; index += 1) writeFileSync(`${source}/${'n'.repeat(60)} ${index}`, '')
  writeFileSync(`${source}/large`, 'content'.repeat(50_000))
  const path = makeImage(folder.join('image'), ['-b', '65536', '-d', source])
  await using image = fileImage(path)
  const fileSystem = await openExt4(image)
  const nodes = await nodesByName(fileSystem)
  assert.deepEqual([...nodes.keys()].toSorted(), [...readdirSync(source), 'lost+found'].toSorted())
  const large = nodes.get('large')
  assert(large !== undefined)
  assert.equal(await digestOf(fileSystem, image, large), await sha256File(`${source}/large`))
})

test('openExt4() reads the names of a casefolded directory as they are', async () => {
  using folder = temporaryFolder()
  const source = folder.join('tree')
  const names = ['Straße', 'STRASSE', 'ABC', 'Abc']
  mkdirSync(source)
  for (const name of names) writeFileSync(`${source}/${name}`, name)
  const path = makeImage(folder.join('image'), ['-O', 'casefold', '-E', 'encoding=utf8', '-d', source])
  runTool('debugfs', ['-w', '-R', 'sif / flags 0x40080000', path])
  await using image = fileImage(path)
  const nodes = await nodesByName(await openExt4(image))
  assert.deepEqual([...nodes.keys()].toSorted(), [...names, 'lost+found'].toSorted())
})

test('openExt4() leaves the hashes behind a file with verity out of its content', async () => {
  using folder = temporaryFolder()
  const source = folder.join('tree')
  mkdirSync(source)
  writeFileSync(`${source}/file`, 'v'.repeat(20_000))
  const path = makeImage(folder.join('image'), ['-O', 'verity', '-b', '1024', '-d', source])
  const requests = ['fallocate file 20 40', 'sif file flags 0x180000', 'sif file size 20000']
  runTool('debugfs', ['-w', '-f', '-', path], { input: requests.join('\n') })
  await using image = fileImage(path)
  const fileSystem = await openExt4(image)
  const node = (await nodesByName(fileSystem)).get('file')
  assert(node !== undefined)
  assert.equal(await digestOf(fileSystem, image, node), await sha256File(`${source}/file`))
})

test('openExt4() does not believe a bitmap that calls blocks of a clean journal free', async () => {
  using folder = temporaryFolder()
  const path = makeImage(folder.join('image'), ['-b', '4096', '-J', 'size=4'])
  const [block] = runTool('debugfs', ['-R', 'blocks <8>', path]).trim().split(' ').slice(-1)
  runTool('debugfs', ['-w', '-R', `freeb ${block}`, path])
  await using image = fileImage(path)
  const fileSystem = await openExt4(image)
  let isUsed = false
  const offset = Number(block) * 4096
  for await (const batch of fileSystem.usedRanges(signal)) {
    if (batch.some((range) => range.offset <= offset && offset < range.offset + range.length)) isUsed = true
  }
  assert(isUsed)
  assert.match(fileSystem.findings.map(({ found }) => found).join(), /it calls 1 blocks of metadata free/)
})

test('openExt4() refuses files without links, by the number that led to them', async () => {
  using folder = temporaryFolder()
  const source = folder.join('tree')
  mkdirSync(source)
  symlinkSync('target', `${source}/link`)
  writeFileSync(`${source}/file`, 'x')
  const path = makeImage(folder.join('image'), ['-d', source])
  const deleted = ['sif file links_count 0', 'sif file dtime 5', 'sif link links_count 2']
  runTool('debugfs', ['-w', '-f', '-', path], { input: deleted.join('\n') })
  await using image = fileImage(path)
  const fileSystem = await openExt4(image)
  const root = await fileSystem.readNode(fileSystem.rootInodeNumber)
  const items = (await Array.fromAsync(walkFiles(fileSystem, root, signal))).flat()
  const refused = items.filter((item) => item.kind === 'unreadable')
  assert.equal(items.length, 4)
  assert.match(
    refused[0]?.error.message ?? '',
    /it is not in use: its link count is 0, and it was deleted at 5$/,
  )
  await assert.rejects(fileSystem.readNode(0), { name: 'FormatError' })
  await assert.rejects(fileSystem.readNode(1_000_000_000), /the last inode is \d+/)
})

test('openExt4() reads encrypted trees but for their content', { skip: needsEncryption() }, async () => {
  using folder = temporaryFolder()
  const path = makeImage(folder.join('image'), ['-O', 'encrypt'])
  {
    using device = loopDevice(path)
    const mountPoint = folder.join('mount')
    mkdirSync(mountPoint)
    runTool('mount', ['-o', 'test_dummy_encryption', device.path, mountPoint])
    try {
      mkdirSync(`${mountPoint}/secret`)
      for (let index = 0; index < 100; index += 1)
        writeFileSync(`${mountPoint}/secret/file ${index}`, 'secret')
      symlinkSync('target', `${mountPoint}/secret/link`)
    } finally {
      runTool('umount', [mountPoint])
    }
  }
  await using image = fileImage(path)
  const fileSystem = await openExt4(image)
  const secret = await resolvePath(fileSystem, Buffer.from('secret'), signal)
  assert(secret !== null)
  const entries = (await Array.fromAsync(fileSystem.readDirectory(secret, signal))).flat()
  assert.equal(entries.length, 101)
  for (const { name, inodeNumber } of entries) {
    // AES in blocks of 16 bytes.
    assert.equal(name.byteLength % 16, 0)
    const node = await fileSystem.readNode(inodeNumber)
    const isUnmapped = (error: unknown): boolean =>
      error instanceof UnmappedError && error.what === `encrypted ${node.kind}`
    if (node.kind === 'symlink') await assert.rejects(fileSystem.readSymlink(node), isUnmapped)
    else {
      const range = { offset: 0, length: node.sizeBytes }
      await assert.rejects(Array.fromAsync(fileSystem.fileExtents(node, range, signal)), isUnmapped)
    }
    assert.deepEqual(await fileSystem.readAttributes(node), [])
  }
})

function makeImage(path: string, words: readonly string[]): string {
  writeFileSync(path, '')
  truncateSync(path, 256 * 1024 * 1024)
  const quietly = { allowedExitCodes: [0] }
  runTool('mke2fs', ['-q', '-F', '-t', 'ext4', ...words, path], quietly)
  return path
}

async function nodesByName(fileSystem: FileSystem): Promise<ReadonlyMap<string, FileNode>> {
  const root = await fileSystem.readNode(fileSystem.rootInodeNumber)
  const nodes = new Map<string, FileNode>()
  for await (const batch of walkFiles(fileSystem, root, signal)) {
    for (const item of batch) {
      assert(item.kind === 'file')
      if (item.path.byteLength > 0) nodes.set(Buffer.from(item.path).toString(), item.node)
    }
  }
  return nodes
}

function needsEncryption(): SkipReason {
  return (
    needsLoopDevices() ||
    (runTool('sh', ['-c', 'ls /sys/fs/ext4/features 2>&1']).includes('test_dummy_encryption_v2')
      ? false
      : 'needs a kernel that encrypts files of ext4')
  )
}

test('readNode() refuses a root that is no directory', async () => {
  using folder = temporaryFolder()
  const path = makeImage(folder.join('image'), ['-O', '^metadata_csum'])
  runTool('debugfs', ['-w', '-R', 'sif <2> mode 0100644', path])
  await using image = fileImage(path)
  const fileSystem = await openExt4(image)
  await assert.rejects(fileSystem.readNode(fileSystem.rootInodeNumber), {
    message: /^Cannot read ext4 inode 2 at byte \d+: it is the root and a file, expected a directory$/,
  })
})
