import assert from 'node:assert/strict'
import { test } from 'node:test'

import { fakeFileSystem } from '../../test/support/fake-file-system.ts'
import type { FileSystem } from '../formats/file-system.ts'
import { foldersWithNames } from './name-search.ts'

const never = new AbortController().signal

/** A root with folders 100, 200, … 900, in each the files behind its own number; what is read is noted. */
async function tree(): Promise<{ readonly fileSystem: FileSystem; readonly read: number[] }> {
  const numbers = Array.from({ length: 9 }, (_, index) => (index + 1) * 100)
  const folders = numbers.map((number) => [
    number,
    [1, 2, 3].map((file) => `f${file}=${number + file}`).concat(number === 900 ? ['again=102'] : []),
  ])
  const files = numbers.flatMap((number) => [1, 2, 3].map((file) => [number + file, 'content'] as const))
  const root = [2, numbers.map((number) => `d${number}=${number}`)]
  const { fileSystem } = await fakeFileSystem(Object.fromEntries([root, ...folders, ...files]))
  const read: number[] = []
  const readDirectory: FileSystem['readDirectory'] = (node, signal) => {
    read.push(node.number)
    return fileSystem.readDirectory(node, signal)
  }
  return { fileSystem: { ...fileSystem, readDirectory }, read }
}

test('foldersWithNames() looks where inodes are near, and ends with the last name', async () => {
  const { fileSystem, read } = await tree()
  const missing = new Map([[502, 1]])
  const found = await foldersWithNames(fileSystem, { missing, known: new Set() }, never)
  assert.deepEqual([...found], [500])
  assert.deepEqual(read, [2, 500])
})

test('foldersWithNames() finds every name of a file, and looks everywhere for one that is not there', async () => {
  const { fileSystem, read } = await tree()
  const missing = new Map([
    [102, 2],
    [303, 2],
  ])
  const found = await foldersWithNames(fileSystem, { missing, known: new Set([300]) }, never)
  assert.deepEqual(found, new Set([100, 900]))
  assert.deepEqual(missing, new Map([[303, 2]]))
  assert.equal(read.length, 10)
})
