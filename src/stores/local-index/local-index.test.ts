import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { encodeIndexSegment, parseIndexSegment } from '../../repository/index-segment.ts'
import { encodeDirectory, type PackEntry } from '../../repository/pack-format.ts'
import { LocalIndex, LocalIndexLocator } from './local-index.ts'

const idOf = (text: string): Uint8Array => createHash('sha256').update(text).digest()
const entry = (text: string, offset = 64): PackEntry => ({
  id: idOf(text),
  offset,
  storedSize: 100,
  kind: 0,
  encoding: 1,
})
const packId = (text: string): string => idOf(text).toHex()

function segmentOf(prefix: string, count: number): ReturnType<typeof parseIndexSegment> {
  const entries = Array.from({ length: count }, (_, index) => entry(`${prefix}${index}`, 64 + index))
  return parseIndexSegment(
    encodeIndexSegment([{ packId: packId(prefix), directory: encodeDirectory(entries) }]),
  )
}

function temporary(): { path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'icecore-index-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) }
}

test('LocalIndex finds every entry of many merged segments, and nothing else', () => {
  using folder = temporary()
  const names = Array.from({ length: 30 }, (_, index) => `s${index}-`)
  const wanted = new Set(names.map(packId))
  using index = LocalIndex.open(folder.path, wanted)
  for (const [at, name] of names.entries()) {
    index.add(packId(name), segmentOf(name, 1 + at * 40))
    index.compact()
  }
  assert.ok(readdirSync(folder.path).length <= 9)
  using reopened = LocalIndex.open(folder.path, wanted)
  assert.deepEqual(reopened.sources(), wanted)
  const locator = new LocalIndexLocator(reopened.handle([]))
  for (const [at, name] of names.entries()) {
    for (let number = 0; number < 1 + at * 40; number += 1) {
      const found = locator.locate(idOf(`${name}${number}`))
      assert.deepEqual(found, {
        packId: packId(name),
        offset: 64 + number,
        storedSize: 100,
        kind: 0,
        encoding: 1,
      })
    }
    assert.equal(locator.locate(idOf(`absent ${at}`)), null)
  }
})

test('LocalIndex prefers a pack that is not condemned, also across block boundaries', () => {
  using folder = temporary()
  const packs = Array.from({ length: 200 }, (_, index) => ({
    packId: packId(`p${index}`),
    directory: encodeDirectory([entry('same', 64 + index)]),
  }))
  using index = LocalIndex.open(folder.path, new Set(['aa'.repeat(32)]))
  index.add('aa'.repeat(32), parseIndexSegment(encodeIndexSegment(packs)))
  const condemned = packs.slice(0, 199).map((pack) => pack.packId)
  const found = new LocalIndexLocator(index.handle(condemned)).locate(idOf('same'))
  assert.equal(found?.packId, packs[199]?.packId)
  const all = new LocalIndexLocator(index.handle(packs.map((pack) => pack.packId)))
  const fallback = all.locate(idOf('same'))
  assert.ok(fallback !== null && !all.isReusable(fallback))
})

test('LocalIndex.open() throws away runs that are damaged or no longer wanted', () => {
  using folder = temporary()
  const kept = packId('kept-')
  const gone = packId('gone-')
  {
    using index = LocalIndex.open(folder.path, new Set([kept, gone]))
    index.add(kept, segmentOf('kept-', 500))
    index.add(gone, segmentOf('gone-', 500))
  }
  {
    using index = LocalIndex.open(folder.path, new Set([kept]))
    assert.deepEqual([...index.sources()], [kept])
  }
  const file = readdirSync(folder.path)[0]
  assert.ok(file)
  truncateSync(join(folder.path, file), 4096)
  using index = LocalIndex.open(folder.path, new Set([kept]))
  assert.equal(index.sources().size, 0)
  assert.deepEqual(readdirSync(folder.path), [])
})
