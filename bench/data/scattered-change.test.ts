import assert from 'node:assert/strict'
import { mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { applyChange, prepareChange, scatteredChangeIn, undoChange } from './scattered-change.ts'
import { seededStream } from './seeded-stream.ts'

test('undoChange() takes back what applyChange() wrote, and only the listed ranges had changed', () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'icecore-bench-'))
  const image = join(folder.path, 'volume.img')
  const original = Buffer.alloc(2 ** 20, 7)
  writeFileSync(image, original)
  const change = scatteredChangeIn(folder.path, image)
  const writes = [
    { offset: 4096, length: 8192 },
    { offset: 500 * 1024, length: 4096 },
    { offset: 900 * 1024, length: 65_536 },
  ]
  prepareChange(change, writes, seededStream('content'))
  assert.deepEqual(readFileSync(image), original)

  applyChange(change)
  const changed = readFileSync(image)
  for (const { offset, length } of writes) {
    assert.notDeepEqual(changed.subarray(offset, offset + length), original.subarray(offset, offset + length))
    changed.fill(7, offset, offset + length)
  }
  assert.deepEqual(changed, original)
  assert.deepEqual(JSON.parse(readFileSync(change.changeList, 'utf8')), [
    { offset: 4096, length: 8192, exists: 'true' },
    { offset: 512_000, length: 4096, exists: 'true' },
    { offset: 921_600, length: 65_536, exists: 'true' },
  ])

  undoChange(change)
  assert.deepEqual(readFileSync(image), original)
})
