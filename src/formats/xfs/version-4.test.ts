// The kernel at hand may not mount version 4 any more: `mkfs.xfs` and `xfs_db` put in what is then looked for.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { truncateSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { fileImage } from '../../../test/support/bytes-image.ts'
import { readFormatTree, type FileTree } from '../../../test/support/file-tree.ts'
import { runTool } from '../../../test/support/run-tool.ts'
import { sha256File } from '../../../test/support/sha256-file.ts'
import { temporaryFolder, type TemporaryFolder } from '../../../test/support/temporary-folder.ts'
import { openXfs } from './open-xfs.ts'

const LONG_TARGET = 'long/'.repeat(190)
const ENTRY_COUNT = 3000

/** More than a leaf of names; values within it and in blocks of their own. */
const ATTRIBUTE_COUNT = 100

const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  'no kinds in directories': ['-n', 'ftype=0'],
  'kinds in directories, large directory blocks': ['-n', 'ftype=1,size=8192', '-b', 'size=1024'],
  'blocks of 512 bytes, small inodes': ['-b', 'size=512', '-i', 'size=256'],
}

for (const [name, options] of Object.entries(OPTIONS)) {
  test(`openXfs() reads version 4: ${name}`, async () => {
    using folder = temporaryFolder()
    const path = folder.join('xfs.img')
    const content = folder.join('content')
    writeFileSync(content, randomBytes(100_001))
    makeVersion4(folder, path, options)
    await using image = fileImage(path)
    const fileSystem = await openXfs(image)
    const tree = await readFormatTree(fileSystem, image)
    assert.deepEqual(summary(tree, '/file'), ['file', 0o640, 7, 8, await sha256File(content)])
    assert.deepEqual(summary(tree, '/link'), [
      'symlink',
      0o777,
      0,
      0,
      Buffer.from(LONG_TARGET).toString('hex'),
    ])
    assert.deepEqual(summary(tree, '/short'), ['symlink', 0o777, 0, 0, Buffer.from('target').toString('hex')])
    assert.deepEqual(summary(tree, '/block'), ['block-device', 0o644, 0, 0, '8:1'])
    assert.deepEqual(summary(tree, '/character'), ['character-device', 0o600, 0, 0, '5:300'])
    assert.deepEqual(summary(tree, '/directory'), ['directory', 0o2750, 0, 0, ''])
    for (let index = 0; index < ENTRY_COUNT; index += 1) assert.ok(tree.has(`/directory/entry-${index}`))
    assert.equal(tree.size, ENTRY_COUNT + 7)
    assert.deepEqual(tree.get('/file')?.attributes, expectedAttributes())
    assert.deepEqual(tree.get('/short')?.attributes, { 'user.of-link': '7676767676' })
  })
}

function makeVersion4(folder: TemporaryFolder, path: string, options: readonly string[]): void {
  const entries = Array.from({ length: ENTRY_COUNT }, (_, index) => `entry-${index} p--644 0 0`)
  const lines = [
    '/',
    '0 0',
    'd--755 0 0',
    `file ---640 7 8 ${folder.join('content')}`,
    `link l--777 0 0 ${LONG_TARGET}`,
    'short l--777 0 0 target',
    'block b--644 0 0 8 1',
    'character c--600 0 0 5 300',
    'directory d-g750 0 0',
    ...entries,
    '$',
    '$',
    '',
  ]
  writeFileSync(folder.join('prototype'), lines.join('\n'))
  writeFileSync(path, '')
  truncateSync(path, 300 * 2 ** 20)
  runTool('mkfs.xfs', ['-q', '-m', 'crc=0', ...options, '-p', folder.join('prototype'), path])
  const sets = Object.entries(expectedAttributes()).flatMap(([name, value]) => {
    const [namespace = '', ...rest] = name.split('.')
    const flag = { user: '-u', trusted: '-r', security: '-s' }[namespace]
    return ['-c', `attr_set ${flag} -v ${value.length / 2} ${rest.join('.')}`]
  })
  runTool('xfs_db', [
    '-x',
    '-c',
    'path /file',
    ...sets,
    '-c',
    'path /short',
    '-c',
    'attr_set -v 5 of-link',
    path,
  ])
}

/** `xfs_db` sets a value to as many bytes as it is told, all the same. */
function expectedAttributes(): Record<string, string> {
  const names = Array.from(
    { length: ATTRIBUTE_COUNT },
    (_, index) => [`user.many-${index}`, 1 + 2 * index] as const,
  )
  const sizes = [['user.large', 65_536], ['trusted.root', 30], ['security.label', 5000], ...names] as const
  return Object.fromEntries(sizes.map(([name, size]) => [name, Buffer.alloc(size, 'v').toString('hex')]))
}

function summary(tree: FileTree, path: string): readonly unknown[] {
  const file = tree.get(path)
  return [file?.kind, file?.mode, file?.userId, file?.groupId, file?.content]
}
