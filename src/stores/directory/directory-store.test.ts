import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { test } from 'node:test'

import { loopDevice } from '../../../test/support/loop-device.ts'
import { needsLoopDevices } from '../../../test/support/requirements.ts'
import { runTool } from '../../../test/support/run-tool.ts'
import { noiseBytes } from '../../../test/support/sample-files.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { ErrorCode } from '../../domain/backup-error.ts'
import { allocateAligned } from '../../linux/aligned-memory.ts'
import { storeConformance } from '../../repository/store-conformance.ts'
import { listAll } from '../../repository/store.ts'
import { DirectoryStore } from './directory-store.ts'

const MIB = 1024 * 1024

storeConformance('directory store', () => {
  const folder = temporaryFolder()
  const store = new DirectoryStore(folder.join('repository'))
  return Promise.resolve({
    store,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]()
      folder[Symbol.dispose]()
    },
  })
})

test('DirectoryStore keeps names inside its folder', async () => {
  using folder = temporaryFolder()
  await using store = new DirectoryStore(folder.path)
  for (const name of [
    '',
    '../up',
    '/etc',
    'a//b',
    'a/',
    '/',
    'A',
    'a.b',
    'a\0',
    'a\n',
    'a/../b',
    'x'.repeat(201),
  ]) {
    await assert.rejects(store.put(name, new Uint8Array(1)), { name: 'AssertionError' }, JSON.stringify(name))
    await assert.rejects(store.get(name, 1), { name: 'AssertionError' })
  }
  assert.deepEqual(readdirSync(folder.path), [])
})

test('DirectoryStore leaves no temporary file, and files that only their owner reads', async () => {
  using folder = temporaryFolder()
  await using store = new DirectoryStore(folder.path)
  await store.put('packs/ab/abcd', new Uint8Array(10))
  await assert.rejects(store.put('packs/ab/abcd', new Uint8Array(10)))
  await store.replace('config', new Uint8Array(10))
  assert.deepEqual(readdirSync(folder.join('temporary')), [])
  assert.equal(statSync(folder.join('config')).mode & 0o777, 0o600)
  assert.equal(statSync(folder.join('packs/ab')).mode & 0o777, 0o700)
})

test('DirectoryStore.removeTemporariesOf() removes those of one writer', async () => {
  using folder = temporaryFolder()
  await using store = new DirectoryStore(folder.path, { writerId: 'aa' })
  await store.removeTemporariesOf('aa')
  await store.put('config', new Uint8Array(1))
  for (const name of ['aa-1', 'aa-2', 'aab-1', 'bb-1']) writeFileSync(folder.join('temporary', name), '')
  await store.removeTemporariesOf('aa')
  assert.deepEqual(readdirSync(folder.join('temporary')).toSorted(), ['aab-1', 'bb-1'])
})

test('DirectoryStore lists nothing that has no store name, such as what a file manager left', async () => {
  using folder = temporaryFolder()
  await using store = new DirectoryStore(folder.path)
  await store.put('points/one', new Uint8Array(1))
  writeFileSync(folder.join('points', '.DS_Store'), '')
  assert.deepEqual(await listAll(store, 'points/'), ['points/one'])
})

test('DirectoryStore.put() writes aligned memory as it is, past the page cache or not', async () => {
  using folder = temporaryFolder()
  await using store = new DirectoryStore(folder.path)
  for (const length of [4096, MIB, 3 * MIB + 4096, MIB + 5, 100]) {
    const bytes = allocateAligned(length)
    bytes.set(noiseBytes(`aligned ${length}`, length))
    await store.put(`packs/${length}`, bytes)
    assert.ok(Buffer.compare(readFileSync(folder.join('packs', `${length}`)), bytes) === 0)
    if (length > 8192) await store.put(`packs/${length}-part`, bytes.subarray(8192))
  }
})

test('DirectoryStore.put() takes shared memory that begins anywhere', async () => {
  using folder = temporaryFolder()
  await using store = new DirectoryStore(folder.path)
  for (const length of [4096, 8192, MIB]) {
    const bytes = new Uint8Array(new SharedArrayBuffer(length))
    bytes.set(noiseBytes('shared', length))
    await store.put(`packs/${length}`, bytes)
    assert.ok(Buffer.compare(readFileSync(folder.join('packs', `${length}`)), bytes) === 0)
  }
})

test('DirectoryStore says what is wrong with a path below a file', async () => {
  using folder = temporaryFolder()
  writeFileSync(folder.join('file'), '')
  await using store = new DirectoryStore(folder.join('file'))
  await assert.rejects(store.put('config', new Uint8Array(1)), { code: ErrorCode.StoreFailed })
  await assert.rejects(store.get('config', 1), { code: ErrorCode.StoreFailed })
})

for (const blockSize of [1024, 4096]) {
  test(
    `DirectoryStore on a full file system with blocks of ${blockSize} says so, and leaves no part of an object`,
    { skip: needsLoopDevices() },
    async () => {
      using mounted = smallFileSystem(blockSize)
      await using store = new DirectoryStore(mounted.join('repository'))
      const full = { code: ErrorCode.StoreFull }
      const bytes = allocateAligned(MIB)
      bytes.set(noiseBytes('full', MIB))
      let count = 0
      await assert.rejects(async () => {
        for (; count < 100; count += 1) await store.put(`packs/${count}`, bytes)
      }, full)
      assert.ok(count > 1 && count < 20)
      await assert.rejects(store.put('points/one', noiseBytes('plain', MIB)), full)
      await assert.rejects(store.replace('points/one', noiseBytes('plain', MIB)), full)
      const names = await listAll(store, 'packs/')
      assert.equal(names.length, count)
      for (const name of names) assert.equal(await store.sizeOf(name), MIB)
      assert.deepEqual(await listAll(store, 'points/'), [])
      assert.deepEqual(readdirSync(mounted.join('repository', 'temporary')), [])
      await store.delete(names[0] ?? '')
      await store.put('points/one', noiseBytes('plain', MIB / 2))
      await store.flush()
    },
  )
}

test(
  'DirectoryStore on a file system that is mounted for reading only reads, and says that it cannot write',
  { skip: needsLoopDevices() },
  async () => {
    using mounted = smallFileSystem(4096)
    {
      await using store = new DirectoryStore(mounted.path)
      await store.put('points/one', new Uint8Array(9))
      await store.flush()
    }
    runTool('mount', ['-o', 'remount,ro', mounted.path])
    await using store = new DirectoryStore(mounted.path)
    const readOnly = { code: ErrorCode.StoreReadOnly }
    await assert.rejects(store.put('points/two', new Uint8Array(9)), readOnly)
    await assert.rejects(store.replace('points/one', new Uint8Array(9)), readOnly)
    await assert.rejects(store.delete('points/one'), readOnly)
    assert.equal((await store.get('points/one', 9)).byteLength, 9)
    assert.deepEqual(await listAll(store, 'points/'), ['points/one'])
  },
)

/** A mounted ext4 of 16 MiB, unmounted at the end of the block. */
function smallFileSystem(
  blockSize: number,
): Disposable & { path: string; join: (...names: string[]) => string } {
  const folder = temporaryFolder()
  const image = folder.join('image')
  writeFileSync(image, '')
  truncateSync(image, 16 * MIB)
  runTool('mke2fs', ['-q', '-t', 'ext4', '-b', String(blockSize), '-m', '0', image])
  const device = loopDevice(image)
  mkdirSync(folder.join('mounted'))
  runTool('mount', [device.path, folder.join('mounted')])
  assert.ok(existsSync(folder.join('mounted', 'lost+found')))
  return {
    path: folder.join('mounted'),
    join: (...names) => folder.join('mounted', ...names),
    [Symbol.dispose]() {
      runTool('umount', [folder.join('mounted')])
      device[Symbol.dispose]()
      folder[Symbol.dispose]()
    },
  }
}
