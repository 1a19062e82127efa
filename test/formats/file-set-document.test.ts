import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import { FILE_SET_MAGIC } from '../../src/formats/file-set/layout.ts'
import { builtFileSet } from '../support/built-file-set.ts'
import { bytesImage } from '../support/bytes-image.ts'
import { modelFileSystem } from '../support/model-files.ts'
import { hexDump } from './hex-dump.ts'

const document = readFileSync(new URL('../../docs/formats/file-set.md', import.meta.url), 'utf8')

/** A folder with a file of three bytes, another name of it, and a link. */
async function exampleImage(): Promise<Uint8Array> {
  const time = { seconds: 1_767_323_045, nanoseconds: 678_000_000 }
  const times = [time, time, { ...time, seconds: time.seconds + 1 }, time] as const
  const owner = { mode: 0o755, userId: 0, times }
  const entries = new Map([
    ['one', 12],
    ['two', 12],
    ['way', 13],
  ])
  const fileSystem = modelFileSystem(
    new Map([
      [2, { ...owner, kind: 'directory', sizeBytes: 4096, entries: new Map([['etc', 11]]) }],
      [11, { ...owner, kind: 'directory', sizeBytes: 4096, entries }],
      [12, { ...owner, kind: 'file', sizeBytes: 3, pieces: [{ offset: 0, length: 3, at: 4096 }] }],
      [13, { ...owner, kind: 'symlink', target: Buffer.from('one') }],
    ]),
  )
  const volume = bytesImage(new Uint8Array(8192).fill(0x69))
  const { image } = await builtFileSet(fileSystem, volume, { chunkSizeBytes: 16_384 })
  const bytes = new Uint8Array(image.sizeBytes)
  await image.readInto(bytes, 0)
  return bytes
}

test('docs/formats/file-set.md shows what the program writes', async () => {
  const shown = /^## Example$[\s\S]*?^```\n([\s\S]*?)^```$/m.exec(document)?.[1]
  assert.equal(shown, hexDump(await exampleImage()))
})

test('docs/formats/file-set.md names the magic and the words that it comes from', () => {
  assert.equal(createHash('sha256').update('icecore file set v1').digest('hex').slice(0, 16), FILE_SET_MAGIC)
  assert.ok(document.includes('SHA-256("icecore file set v1")'))
  assert.ok(document.replaceAll(' ', '').includes(FILE_SET_MAGIC))
})
