import assert from 'node:assert/strict'
import { existsSync, readdirSync, renameSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { deriveRepositoryKeys } from '../../repository/keys.ts'
import { LeftOutCache } from './left-out-cache.ts'
import { RANGES_MAX, type LeftOut } from './left-out-format.ts'

const TIB = 1024 ** 4
const LEFT_OUT: LeftOut = new Map([
  [
    'vg0/home',
    [
      { offset: 0, length: 4096 },
      { offset: TIB, length: 3 * TIB },
    ],
  ],
  ['größer', []],
])
const KEYS = deriveRepositoryKeys(new Uint8Array(32).fill(7))

test('LeftOutCache gives what was put, sealed or not', async () => {
  for (const keys of [KEYS, null]) {
    using scene = openScene(keys)
    await scene.cache.put('aa', LEFT_OUT, null)
    assert.deepEqual(await scene.cache.get('aa'), LEFT_OUT)
    assert.equal(await scene.cache.get('bb'), null)
    const [name] = scene.names()
    const text = readFileSync(scene.folder.join('cache', name ?? ''), 'latin1')
    assert.equal(text.includes('vg0/home'), keys === null)
  }
})

test('LeftOutCache knows nothing where a bit is wrong, or a byte is missing', async () => {
  for (const keys of [KEYS, null]) {
    using scene = openScene(keys)
    await scene.cache.put('aa', LEFT_OUT, null)
    const path = scene.folder.join('cache', 'aa.left-out')
    const sound = readFileSync(path)
    for (let at = 0; at < sound.length; at += 1) {
      const damaged = Buffer.from(sound)
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8))
      writeFileSync(path, damaged)
      assert.equal(await scene.cache.get('aa'), null, `byte ${at}`)
      writeFileSync(path, sound.subarray(0, at))
      assert.equal(await scene.cache.get('aa'), null, `${at} bytes`)
    }
  }
})

test('LeftOutCache does not believe what another repository sealed, or nobody', async () => {
  using scene = openScene(KEYS)
  const others = [
    scene.cacheOf({ repositoryId: 'b'.repeat(32), keys: KEYS }),
    scene.cacheOf({ keys: deriveRepositoryKeys(new Uint8Array(32).fill(8)) }),
    scene.cacheOf({ keys: null }),
  ]
  for (const other of others) {
    await other.put('aa', LEFT_OUT, null)
    assert.equal(await scene.cache.get('aa'), null)
    assert.deepEqual(await other.get('aa'), LEFT_OUT)
  }
})

test('LeftOutCache does not take one point for another', async () => {
  using scene = openScene(KEYS)
  await scene.cache.put('aa', LEFT_OUT, null)
  renameSync(scene.folder.join('cache', 'aa.left-out'), scene.folder.join('cache', 'bb.left-out'))
  assert.equal(await scene.cache.get('bb'), null)
})

test('LeftOutCache keeps neither what was replaced, nor much of what was left behind', async () => {
  using scene = openScene(null)
  await scene.cache.put('old', LEFT_OUT, null)
  await scene.cache.put('new', LEFT_OUT, 'old')
  assert.deepEqual(scene.names(), ['new.left-out'])
  for (let number = 0; number < 256; number += 1) {
    const path = scene.folder.join('cache', `${number}.left-out`)
    writeFileSync(path, '')
    utimesSync(path, 1000 + number, 1000 + number)
  }
  await scene.cache.put('newest', LEFT_OUT, null)
  assert.equal(scene.names().length, 256)
  assert.equal(existsSync(scene.folder.join('cache', '1.left-out')), false)
  assert.deepEqual(await scene.cache.get('new'), LEFT_OUT)
})

test('LeftOutCache goes without where it cannot write, and without what is too much', async () => {
  using scene = openScene(null)
  const tooMany = Array.from({ length: RANGES_MAX + 1 }, (_, at) => ({ offset: at * 2, length: 1 }))
  await scene.cache.put('aa', new Map([['large', tooMany]]), null)
  await scene.cache.put('aa', new Map(), null)
  assert.equal(existsSync(scene.folder.join('cache')), false)
  writeFileSync(scene.folder.join('cache'), 'no folder')
  await scene.cache.put('aa', LEFT_OUT, null)
  assert.equal(await scene.cache.get('aa'), null)
})

type Sealing = { readonly repositoryId?: string; readonly keys: typeof KEYS | null }

function openScene(keys: typeof KEYS | null) {
  const folder = temporaryFolder()
  const cacheOf = ({ repositoryId = 'a'.repeat(32), keys: own }: Sealing): LeftOutCache =>
    new LeftOutCache({
      folder: folder.join('cache'),
      sealing: { repositoryId, keys: own },
      randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
    })
  return {
    folder,
    cacheOf,
    cache: cacheOf({ keys }),
    names: () => readdirSync(folder.join('cache')),
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  }
}
