import assert from 'node:assert/strict'
import { test } from 'node:test'

import { fakeFileSystem, type FakeFile } from '../../test/support/fake-file-system.ts'
import { resolvePath } from './resolve-path.ts'

const { signal } = new AbortController()

const FILES: Readonly<Record<number, FakeFile>> = {
  2: ['etc=3', 'link=5', 'absolute=6', 'loop=7', 'nowhere=9'],
  3: ['passwd=4', 'up=8'],
  4: 'file',
  5: { kind: 'symlink', target: 'etc' },
  6: { kind: 'symlink', target: '/etc//passwd' },
  7: { kind: 'symlink', target: 'loop/x' },
  8: { kind: 'symlink', target: '../../../etc/./' },
  9: { kind: 'symlink', target: 'missing' },
}

const PATHS: Readonly<Record<string, number | null>> = {
  '': 2,
  '/': 2,
  etc: 3,
  '/etc/passwd': 4,
  'etc//./passwd': 4,
  'etc/../etc/../..': 2,
  link: 5,
  'link/passwd': 4,
  'etc/up/passwd': 4,
  'etc/up/up/up/passwd': 4,
  absolute: 6,
  'absolute/x': null,
  'etc/passwd/x': null,
  missing: null,
  'nowhere/x': null,
}

for (const [path, number] of Object.entries(PATHS)) {
  test(`resolvePath() leads from "${path}" to ${number ?? 'nothing'}`, async () => {
    const { fileSystem } = await fakeFileSystem(FILES)
    const node = await resolvePath(fileSystem, Buffer.from(path), signal)
    assert.equal(node?.number ?? null, number)
  })
}

test('resolvePath() takes names with slashes one by one', async () => {
  const { fileSystem } = await fakeFileSystem({ 2: ['a/b=3'], 3: 'file' })
  assert.equal((await resolvePath(fileSystem, [Buffer.from('a/b')], signal))?.number, 3)
})

test('resolvePath() ends in a loop of symbolic links', async () => {
  const { fileSystem } = await fakeFileSystem(FILES)
  await assert.rejects(resolvePath(fileSystem, Buffer.from('loop/x'), signal), {
    name: 'UnmappedError',
    message: 'Cannot resolve path: found more than 40 symbolic links',
  })
})

test('resolvePath() refuses endless paths', async () => {
  const { fileSystem } = await fakeFileSystem(FILES)
  await assert.rejects(
    resolvePath(fileSystem, Buffer.from('./'.repeat(20_000)), signal),
    /more than 10000 names/,
  )
})
