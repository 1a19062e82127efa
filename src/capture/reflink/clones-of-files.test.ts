import assert from 'node:assert/strict'
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { test } from 'node:test'
import {
  cloningFileSystem,
  needsCloning,
  type CloningFileSystem,
} from '../../../test/support/cloning-file-system.ts'
import { assertCovers, readBytes, readRaw } from '../../../test/support/image-bytes.ts'
import { runTool } from '../../../test/support/run-tool.ts'
import { reflinkOn } from '../../../test/support/reflink-on.ts'
import { noiseBytes } from '../../../test/support/sample-files.ts'
import { ErrorCode } from '../../domain/backup-error.ts'
import type { HeldImage } from '../provider/held-image.ts'
import type { FrozenGroup } from '../provider/provider.ts'

const MIB = 1024 * 1024
const PAGE = 4096
const { signal } = new AbortController()
const request = { lineageKey: 'ab'.repeat(16), leaseEndsAtMs: 2 ** 42, owner: 'test' }
const skipXfs = { skip: needsCloning('xfs') }
const skipBtrfs = { skip: needsCloning('btrfs') }
const unsuitable = { code: ErrorCode.SourceUnsuitable }

function freeze(...sources: readonly string[]): Promise<FrozenGroup> {
  return reflinkOn(dirname(sources[0] ?? '')).freeze({ ...request, sources }, signal)
}

function writeAt(path: string, offset: number, bytes: Uint8Array): void {
  const fd = openSync(path, 'r+')
  writeSync(fd, bytes, 0, bytes.byteLength, offset)
  fsyncSync(fd)
  closeSync(fd)
}

/** Keeps a base, makes a change, freezes again: how much differs, and how much is said to. */
async function changeBetween(
  path: string,
  change: () => void,
): Promise<{ readonly differs: number; readonly listed: number }> {
  let before: Buffer
  let base: HeldImage
  {
    await using group = await freeze(path)
    const [image] = group.images
    assert.ok(image)
    before = await readBytes(image.image)
    await group.keep('ab'.repeat(32), signal)
    base = image.held
  }
  change()
  await using group = await freeze(path)
  const [image] = group.images
  assert.ok(image?.changesSince)
  const after = await readBytes(image.image)
  assert.ok(after.equals(await readRaw(image, signal)))
  const stream = await image.changesSince(base, signal)
  const differs = await assertCovers(stream(), { before, after, where: path })
  let listed = 0
  for await (const batch of stream()) for (const { length } of batch) listed += length
  await reflinkOn(dirname(path)).release(base, signal)
  return { differs, listed }
}

function makeFile(mounted: CloningFileSystem, name: string, bytes: Uint8Array): string {
  const path = mounted.join(name)
  writeFileSync(path, bytes)
  return path
}

for (const kind of ['xfs', 'btrfs'] as const) {
  const skip = { skip: needsCloning(kind) }

  test(`changesSince() on ${kind} names what was written, and little more`, skip, async () => {
    using mounted = cloningFileSystem(kind)
    const path = makeFile(mounted, 'disk', noiseBytes('disk', 2 * MIB))
    const { differs, listed } = await changeBetween(path, () => writeAt(path, MIB + 7, noiseBytes('new', 9)))
    assert.ok(differs > 0)
    assert.ok(listed <= 64 * 1024, `${listed} bytes are listed`)
  })

  test(
    `changesSince() on ${kind} is right for another file of the same name, longer or shorter`,
    skip,
    async () => {
      using mounted = cloningFileSystem(kind)
      const path = makeFile(mounted, 'disk', noiseBytes('disk', 2 * MIB + 100))
      const other = (name: string, sizeBytes: number) => (): void =>
        renameSync(makeFile(mounted, 'other', noiseBytes(name, sizeBytes)), path)
      await changeBetween(path, other('longer', 3 * MIB + 17))
      await changeBetween(path, other('shorter', MIB + 5))
      await changeBetween(path, () => truncateSync(path, 5 * MIB))
      await changeBetween(path, () => truncateSync(path, 100_001))
    },
  )

  test(`changesSince() on ${kind} is right for what was allocated, punched and zeroed`, skip, async () => {
    using mounted = cloningFileSystem(kind)
    const path = makeFile(mounted, 'disk', noiseBytes('disk', 2 * MIB))
    runTool('xfs_io', ['-c', `falloc ${2 * MIB} ${4 * MIB}`, path])
    for (const command of [
      `pwrite ${3 * MIB} ${PAGE}`,
      `fpunch ${MIB} ${MIB}`,
      'fzero 4096 100000',
      `truncate ${7 * MIB}`,
    ]) {
      await changeBetween(path, () => void runTool('xfs_io', ['-c', command, path]))
    }
  })

  test(
    `a clone on ${kind} can be changed by nobody, and is missed when it was all the same`,
    skip,
    async () => {
      using mounted = cloningFileSystem(kind)
      const path = makeFile(mounted, 'disk', noiseBytes('disk', MIB))
      await using group = await freeze(path)
      const clone = group.images[0]?.held.label ?? ''
      assert.equal(statSync(clone).mode & 0o7777, 0o400)
      assert.equal(statSync(mounted.join('.icecore')).mode & 0o7777, 0o700)
      for (const change of [
        () => openSync(clone, 'r+'),
        () => truncateSync(clone, 5),
        () => unlinkSync(clone),
        () => renameSync(clone, mounted.join('stolen')),
        () => chmodSync(clone, 0o600),
      ]) {
        assert.throws(change, { code: 'EPERM' })
      }
      await group.keep('cd'.repeat(32), signal)
      runTool('chattr', ['-i', clone])
      writeAt(clone, 5, Uint8Array.of(1, 2, 3))
      await assert.rejects(group.images[0]?.identify(signal) ?? Promise.resolve(), {
        code: ErrorCode.ImageLost,
      })
      await using next = await freeze(path)
      const provider = reflinkOn(mounted.path)
      const base = (await provider.held(signal)).find(({ use }) => use.kind === 'base')
      assert.ok(base && next.images[0]?.changesSince)
      await assert.rejects(next.images[0].changesSince(base, signal), { code: ErrorCode.ChangesUnknown })
      await provider.release(base, signal)
    },
  )
}

test('changesSince() on XFS pays for data that was moved, and misses nothing', skipXfs, async () => {
  using mounted = cloningFileSystem('xfs')
  const path = makeFile(mounted, 'disk', new Uint8Array(0))
  for (let block = 0; block < 200; block += 2) writeAt(path, block * PAGE, noiseBytes(`${block}`, PAGE))
  for (let block = 1; block < 200; block += 2) writeAt(path, block * PAGE, noiseBytes(`${block}`, PAGE))
  const { differs } = await changeBetween(path, () => {
    runTool('xfs_fsr', [path])
    writeAt(path, 10_000, noiseBytes('new', 5000))
  })
  assert.ok(differs > 0)
})

test('changesSince() on Btrfs pays for data that was moved, and misses nothing', skipBtrfs, async () => {
  using mounted = cloningFileSystem('btrfs')
  const path = makeFile(mounted, 'disk', noiseBytes('disk', 4 * MIB))
  for (let block = 0; block < 64; block += 2) writeAt(path, block * PAGE, noiseBytes(`${block}`, PAGE))
  const write = (): void => writeAt(path, 10_000, noiseBytes('new', 5000))
  const balanced = await changeBetween(path, () => {
    write()
    runTool('btrfs', ['balance', 'start', '--full-balance', mounted.path])
  })
  assert.ok(balanced.differs > 0 && balanced.listed < 64 * 1024, 'a balance moves both clones together')
  const defragmented = await changeBetween(path, () => {
    runTool('btrfs', ['filesystem', 'defragment', '-t', '4M', path])
    runTool('sync', [])
  })
  assert.equal(defragmented.differs, 0)
})

test(
  'changesSince() on Btrfs reads all that is compressed or inline, for its place says too little',
  skipBtrfs,
  async () => {
    using mounted = cloningFileSystem('btrfs', { mountOptions: 'compress-force=zstd' })
    const path = makeFile(mounted, 'disk', Buffer.alloc(MIB, 'compressible '))
    const small = makeFile(mounted, 'small', Buffer.from('a few bytes'))
    assert.equal((await changeBetween(path, () => writeAt(path, 500_000, Buffer.from('XYZ')))).differs, 3)
    // The page that was written alone is not compressed.
    const unchanged = await changeBetween(path, () => {})
    assert.ok(unchanged.differs === 0 && unchanged.listed >= MIB - PAGE)
    assert.deepEqual(await changeBetween(small, () => {}), { differs: 0, listed: 11 })
  },
)

test(
  'freeze() on Btrfs takes files that are written in place, and freezes them all the same',
  skipBtrfs,
  async () => {
    using mounted = cloningFileSystem('btrfs')
    const path = makeFile(mounted, 'disk', new Uint8Array(0))
    runTool('chattr', ['+C', path])
    writeFileSync(path, noiseBytes('disk', MIB))
    const { differs, listed } = await changeBetween(path, () => writeAt(path, 0, noiseBytes('new', PAGE)))
    assert.ok(differs > 0 && listed <= 64 * 1024)
  },
)

test('freeze() refuses a file of a file system that makes no clones, by name', skipXfs, async () => {
  using without = cloningFileSystem('xfs', { words: ['-m', 'reflink=0'] })
  const path = makeFile(without, 'disk', noiseBytes('disk', MIB))
  await assert.rejects(freeze(path), { ...unsuitable, message: /without sharing of blocks/ })
  assert.equal(existsSync(without.join('.icecore')), false)
  await assert.rejects(freeze('/proc/self/maps'), { ...unsuitable, message: /XFS or Btrfs/ })
  await assert.rejects(freeze(makeFile(without, 'empty', new Uint8Array(0))), unsuitable)
})

test(
  'freeze() keeps nothing in a folder that others may use, and held() does not look into it',
  skipXfs,
  async () => {
    using mounted = cloningFileSystem('xfs')
    const path = makeFile(mounted, 'disk', noiseBytes('disk', MIB))
    mkdirSync(mounted.join('.icecore'), { mode: 0o755 })
    await assert.rejects(freeze(path), { ...unsuitable, message: /only root may use/ })
    assert.deepEqual(await reflinkOn(mounted.path).held(signal), [])
    rmSync(mounted.join('.icecore'), { recursive: true })
    writeFileSync(mounted.join('.icecore'), '')
    await assert.rejects(freeze(path), unsuitable)
  },
)

test(
  'freeze() of a nearly full file system is refused, and an image on one that fills up is dropped',
  skipXfs,
  async () => {
    using mounted = cloningFileSystem('xfs')
    const path = makeFile(mounted, 'disk', noiseBytes('disk', MIB))
    await using group = await freeze(path)
    const freeBytes = (): number => Number(runTool('stat', ['-f', '-c', '%a', path])) * PAGE
    runTool('fallocate', ['-l', String(freeBytes() - 3 * MIB), mounted.join('full')])
    await assert.rejects(freeze(path), { code: ErrorCode.NoRoomToFreeze })
    await assert.rejects(group.images[0]?.identify(signal) ?? Promise.resolve(), {
      code: ErrorCode.ImageLost,
    })
    assert.equal(existsSync(mounted.join('.icecore')), false)
  },
)
