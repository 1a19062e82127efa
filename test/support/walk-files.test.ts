import assert from 'node:assert/strict'
import { test } from 'node:test'

import { fakeFileSystem, type FakeFile } from './fake-file-system.ts'
import { FormatError } from '../../src/formats/format-error.ts'
import { walkFiles, type WalkBatch } from './walk-files.ts'

const { signal } = new AbortController()

test('walkFiles() meets each directory before what is in it, in stored order', async () => {
  const files = { 2: ['c=3', 'a=4', 'b=5'], 3: 'file', 4: ['z=6', 'y=7'], 5: ['x=8'], 6: 'x', 7: 'x', 8: 'x' }
  assert.deepEqual(await pathsOf(files), ['', 'c', 'a', 'a/z', 'a/y', 'b', 'b/x'])
})

test('walkFiles() says under which path a file was met first', async () => {
  const file: FakeFile = { kind: 'file', linkCount: 3 }
  const batch = await walked({ 2: ['a=3', 'd=4', 'b=3'], 4: ['c=3'], 3: file })
  const links = batch.map((item) => (item.kind === 'file' ? text(item.linkedTo) : ''))
  assert.deepEqual(links, [null, null, null, 'a', 'a'])
})

test('walkFiles() ends in a loop of directories', async () => {
  const found = await walked({ 2: ['a=3'], 3: ['b=2', 'c=3', 'd=4'], 4: [] })
  assert.deepEqual(
    found.map((item) => `${text(item.path)} ${item.kind}`),
    [' file', 'a file', 'a/b file', 'a/b unreadable', 'a/c file', 'a/c unreadable', 'a/d file'],
  )
})

test('walkFiles() goes on behind what is damaged', async () => {
  const damaged = new FormatError({ structure: 'inode', offsetBytes: 1 }, 'it is bad')
  const found = await walked({
    2: ['a=3', 'b=4', 'c=5'],
    3: damaged,
    4: ['x=6', damaged, 'y=7'],
    5: [],
    6: '',
  })
  assert.deepEqual(
    found.map((item) => `${text(item.path)} ${item.kind === 'file' ? 'read' : item.error.message}`),
    [
      ' read',
      'a Cannot read inode at byte 1: it is bad',
      'b read',
      'b/x read',
      'b Cannot read inode at byte 1: it is bad',
      'c read',
    ],
  )
})

test('walkFiles() does not go deeper than a path of the kernel', async () => {
  const files: Record<number, readonly string[]> = {}
  for (let number = 2; number < 3000; number += 1) files[number] = [`d=${number + 1}`]
  const found = await walked({ ...files, 3000: [] })
  assert.equal(found.length, 2050)
  assert.match(JSON.stringify(found.at(-1)), /unreadable/)
})

test('walkFiles() refuses paths of more than 64 KiB', async () => {
  const files: Record<number, readonly string[]> = {}
  for (let number = 2; number < 400; number += 1) files[number] = [`${'d'.repeat(250)}=${number + 1}`]
  const found = await walked({ ...files, 400: [] })
  const last = found.at(-1)
  assert.equal(last?.kind, 'unreadable')
  assert.equal(found.length, 1 + Math.floor(65_537 / 251) + 1)
})

test('walkFiles() holds a bounded number of entries', async () => {
  const names = Array.from({ length: 4096 }, (_, index) => `e${index}=9999`)
  const files: Record<number, readonly string[] | string> = { 9999: 'x' }
  for (let number = 2; number < 200; number += 1) files[number] = [`d=${number + 1}`, ...names]
  const found = await walked({ ...files, 200: [] })
  const refused = found.filter((item) => item.kind === 'unreadable')
  assert.equal(refused.length, 1)
  assert.match(refused[0]?.error.message ?? '', /directories above hold too many entries/)
})

test('walkFiles() stops when it is told to', async () => {
  const controller = new AbortController()
  controller.abort(new Error('enough'))
  const { fileSystem, root } = await fakeFileSystem({ 2: ['a=3'], 3: '' })
  await assert.rejects(Array.fromAsync(walkFiles(fileSystem, root, controller.signal)), /enough/)
})

async function walked(files: Readonly<Record<number, FakeFile>>): Promise<WalkBatch> {
  const { fileSystem, root } = await fakeFileSystem(files)
  return (await Array.fromAsync(walkFiles(fileSystem, root, signal))).flat()
}

async function pathsOf(files: Readonly<Record<number, FakeFile>>): Promise<readonly (string | null)[]> {
  return (await walked(files)).map(({ path }) => text(path))
}

function text(path: Uint8Array | null): string | null {
  return path === null ? null : Buffer.from(path).toString()
}
