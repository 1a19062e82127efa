import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { bytesImage } from '../../../test/support/bytes-image.ts'
import { loopDevice } from '../../../test/support/loop-device.ts'
import { needsLoopDevices } from '../../../test/support/requirements.ts'
import { runTool } from '../../../test/support/run-tool.ts'
import { temporaryFolder, type TemporaryFolder } from '../../../test/support/temporary-folder.ts'
import type { FileNode, FileSystem } from '../file-system.ts'
import { resolvePath } from '../resolve-path.ts'
import { openExt4 } from './open-ext4.ts'

const BLOCK_SIZE = 1024
const { signal } = new AbortController()

test('a checksum of an inode that does not fit is refused', async () => {
  using folder = temporaryFolder()
  const path = makeImage(folder)
  const [, block, offset] =
    /located at block (\d+), offset (0x[0-9a-f]+)/.exec(debugfs('imap file', path)) ?? []
  const bytes = damaged(path, Number(block) * BLOCK_SIZE + Number(offset) + 8)
  const fileSystem = await openExt4(bytesImage(bytes))
  await assert.rejects(nodeAt(fileSystem, 'file'), refusal(/^ext4 inode \d+$/))
  assert.equal((await nodeAt(fileSystem, 'folder')).kind, 'directory')
})

test('a checksum of an attribute block that does not fit is refused', async () => {
  using folder = temporaryFolder()
  const path = makeImage(folder)
  const [, block] = /File ACL: (\d+)/.exec(debugfs('stat file', path)) ?? []
  const fileSystem = await openExt4(bytesImage(damaged(path, Number(block) * BLOCK_SIZE + 1000)))
  const node = await nodeAt(fileSystem, 'file')
  await assert.rejects(fileSystem.readAttributes(node), refusal(/^attribute block of ext4 inode \d+$/))
})

for (const [what, index, offset] of [
  ['the root of a hash tree', 0, 40],
  ['a leaf of a hash tree', 1, 500],
] as const) {
  test(`a checksum of ${what} that does not fit is refused`, async () => {
    using folder = temporaryFolder()
    const path = makeImage(folder)
    // Only e2fsck makes a hash tree of what mke2fs wrote.
    runTool('e2fsck', ['-f', '-y', '-D', path], { allowedExitCodes: [0, 1] })
    const block = Number(debugfs(`bmap folder ${index}`, path).trim())
    const sound = await openExt4(bytesImage(readFileSync(path)))
    assert.equal((await namesIn(sound)).length, 300)
    assert.deepEqual(sound.findings, [])
    const fileSystem = await openExt4(bytesImage(damaged(path, block * BLOCK_SIZE + offset)))
    const message = new RegExp(`^directory block ${index} of ext4 inode \\d+$`)
    await assert.rejects(namesIn(fileSystem), refusal(message))
  })
}

test('a directory block without a checksum is read, with a finding', async () => {
  using folder = temporaryFolder()
  const path = makeImage(folder)
  const block = Number(debugfs('bmap folder 0', path).trim())
  const bytes = readFileSync(path)
  // The kind of the entry at the end that only holds the checksum.
  bytes[block * BLOCK_SIZE + BLOCK_SIZE - 5] = 0
  const fileSystem = await openExt4(bytesImage(bytes))
  assert.equal((await namesIn(fileSystem)).length, 300)
  assert.deepEqual(
    fileSystem.findings.map(({ found, offsetBytes }) => ({ found, offsetBytes })),
    [{ found: 'it has no checksum', offsetBytes: block * BLOCK_SIZE }],
  )
})

test(
  'a value in an inode of its own that does not fit its checksum is refused',
  { skip: needsLoopDevices() },
  async () => {
    using folder = temporaryFolder()
    const path = folder.join('image')
    makeEmptyImage(path, ['-O', 'ea_inode'])
    const value = 'large value '.repeat(1000)
    {
      using device = loopDevice(path)
      const mountPoint = folder.join('mount')
      mkdirSync(mountPoint)
      runTool('mount', [device.path, mountPoint])
      try {
        writeFileSync(`${mountPoint}/file`, '')
        runTool('setfattr', ['--restore=-'], { input: `# file: ${mountPoint}/file\nuser.large="${value}"\n` })
      } finally {
        runTool('umount', [mountPoint])
      }
    }
    const bytes = readFileSync(path)
    const sound = await openExt4(bytesImage(bytes))
    const [attribute] = await sound.readAttributes(await nodeAt(sound, 'file'))
    assert.equal(Buffer.from(attribute?.value ?? []).toString(), value)
    // The journal has a copy, which is nobody's any more.
    const text = Buffer.from('large value')
    for (let at = bytes.indexOf(text); at !== -1; at = bytes.indexOf(text, at + BLOCK_SIZE)) bytes[at] = 0
    const fileSystem = await openExt4(bytesImage(bytes))
    const node = await nodeAt(fileSystem, 'file')
    await assert.rejects(fileSystem.readAttributes(node), /checksum of the value is 0x/)
  },
)

function refusal(structure: RegExp): object {
  return { name: 'FormatError', structure, message: /checksum is 0x[0-9a-f]+, expected 0x[0-9a-f]+$/ }
}

function damaged(path: string, at: number): Uint8Array {
  const bytes = new Uint8Array(readFileSync(path))
  bytes[at] = (bytes[at] ?? 0) ^ 1
  return bytes
}

async function nodeAt(fileSystem: FileSystem, path: string): Promise<FileNode> {
  const node = await resolvePath(fileSystem, Buffer.from(path), signal)
  assert(node !== null)
  return node
}

async function namesIn(fileSystem: FileSystem): Promise<readonly string[]> {
  const folder = await nodeAt(fileSystem, 'folder')
  const entries = (await Array.fromAsync(fileSystem.readDirectory(folder, signal))).flat()
  return entries.map(({ name }) => Buffer.from(name).toString())
}

function debugfs(request: string, path: string): string {
  return runTool('debugfs', ['-R', request, path])
}

function makeImage(folder: TemporaryFolder): string {
  const source = folder.join('tree')
  mkdirSync(`${source}/folder`, { recursive: true })
  writeFileSync(`${source}/file`, 'x')
  for (let index = 0; index < 300; index += 1)
    writeFileSync(`${source}/folder/${'n'.repeat(40)} ${index}`, '')
  runTool('setfattr', ['-n', 'user.note', '-v', 'n'.repeat(500), `${source}/file`])
  const path = folder.join('image')
  makeEmptyImage(path, ['-d', source])
  return path
}

function makeEmptyImage(path: string, words: readonly string[]): void {
  writeFileSync(path, '')
  truncateSync(path, 8 * 1024 * 1024)
  runTool('mke2fs', [
    '-q',
    '-F',
    '-t',
    'ext4',
    '-b',
    String(BLOCK_SIZE),
    '-I',
    '256',
    '-N',
    '512',
    ...words,
    path,
  ])
}
