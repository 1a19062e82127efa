import assert from 'node:assert/strict'
import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { test } from 'node:test'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { compareImages } from './compare-images.ts'
import { copySparse } from './copy-sparse.ts'

const SIZE_BYTES = 16 * 2 ** 20
const { signal } = new AbortController()

test('compareImages() finds the blocks in which a changed copy differs, also in holes', async () => {
  using folder = temporaryFolder()
  const [before, after] = [folder.join('before'), folder.join('after')]
  writeFileSync(before, new Uint8Array(3 * 2 ** 20).fill(7))
  truncateSync(before, SIZE_BYTES)
  await copySparse(before, after, signal)
  assert.deepEqual(await compareImages(before, after, signal), [])
  await using file = await open(after, 'r+')
  await file.write(Buffer.from('x'), 0, 1, 5000)
  await file.write(Buffer.alloc(5000, 1), 0, 5000, 2 ** 20 - 100)
  await file.write(Buffer.from('x'), 0, 1, SIZE_BYTES - 1)
  assert.deepEqual(await compareImages(before, after, signal), [
    { offset: 4096, length: 4096 },
    { offset: 2 ** 20 - 4096, length: 3 * 4096 },
    { offset: SIZE_BYTES - 4096, length: 4096 },
  ])
})

test('copySparse() copies every byte and leaves holes holes', async () => {
  using folder = temporaryFolder()
  const [from, to] = [folder.join('from'), folder.join('to')]
  await using file = await open(from, 'w')
  await file.truncate(SIZE_BYTES)
  await file.write(Buffer.alloc(5_000_000, 3), 0, 5_000_000, 1_000_000)
  await copySparse(from, to, signal)
  assert.ok(readFileSync(from).equals(readFileSync(to)))
  assert.ok(statSync(to).blocks * 512 < SIZE_BYTES / 2)
})
