import assert from 'node:assert/strict'
import { lstatSync, mkdirSync, readdirSync, truncateSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { collect } from '../../../test/extents/byte-model.ts'
import { fileImage } from '../../../test/support/bytes-image.ts'
import { readFormatTree, readMountedTree, type FileTree } from '../../../test/support/file-tree.ts'
import { loopDevice } from '../../../test/support/loop-device.ts'
import { needsLoopDevices } from '../../../test/support/requirements.ts'
import { runTool } from '../../../test/support/run-tool.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { whileMounted } from '../../../test/support/xfs-image.ts'
import { fillXfs, type XfsTreeOptions } from '../../../test/support/xfs-tree.ts'
import type { Extent } from '../../domain/extent.ts'
import { restrictExtents } from '../../extents/restrict-extents.ts'
import { openXfs } from './open-xfs.ts'

type Variant = {
  readonly mkfs: readonly string[]
  readonly tree: XfsTreeOptions
  /** Forms that a directory and an attribute fork must have come to, or the test tests less than it says. */
  readonly forms: readonly string[]
}

const NEVER = new AbortController().signal

const VARIANTS: Readonly<Record<string, Variant>> = {
  'as made by default, and 50,000 entries': {
    mkfs: [],
    tree: { entryCount: 50_000, fragmentCount: 3000, blockSizeBytes: 4096, hasReflink: true },
    forms: [
      'file extents',
      'file btree',
      'directory local',
      'directory extents',
      'symlink extents',
      'attributes local',
    ],
  },
  'with large extent counters, blocks of 1 KiB and directory blocks of 8 KiB': {
    mkfs: ['-b', 'size=1024', '-n', 'size=8192', '-i', 'size=512,nrext64=1'],
    tree: { entryCount: 8000, fragmentCount: 20_000, blockSizeBytes: 1024, hasReflink: true },
    forms: ['file btree', 'directory extents', 'attributes extents'],
  },
  'with directory blocks of 64 KiB and inodes of 2 KiB': {
    mkfs: ['-n', 'size=65536', '-i', 'size=2048'],
    tree: { entryCount: 8000, fragmentCount: 3000, blockSizeBytes: 4096, hasReflink: true },
    forms: ['file btree', 'directory extents', 'symlink local'],
  },
  'with the features of ten years ago and blocks of 1 KiB': {
    mkfs: ['-b', 'size=1024', '-m', 'bigtime=0,reflink=0,rmapbt=0,finobt=0,inobtcount=0', '-i', 'sparse=0'],
    tree: { entryCount: 8000, fragmentCount: 3000, blockSizeBytes: 1024, hasReflink: false },
    forms: ['directory btree', 'symlink extents', 'attributes btree'],
  },
}

/** Root is shown access control lists a second time, as XFS keeps them. */
const ignoredAttributes = /^trusted\.SGI_ACL_/u

for (const [name, { mkfs, tree, forms }] of Object.entries(VARIANTS)) {
  test(`openXfs() sees what the kernel shows: ${name}`, { skip: needsLoopDevices() }, async () => {
    using folder = temporaryFolder()
    const path = folder.join('xfs.img')
    const mount = folder.join('mount')
    makeXfs(path, mkfs)
    whileMounted(path, mount, () => fillXfs(mount, tree))
    const expected = whileMountedReadOnly(path, mount, () => readMountedTree(mount, { ignoredAttributes }))
    await using image = fileImage(path)
    const fileSystem = await openXfs(image)
    assert.deepEqual(fileSystem.allocation, { proven: true })
    const found = await readFormatTree(fileSystem, image)
    assertSameTree(found, expected)
    assert.deepEqual(fileSystem.findings, [])
    const seen = formsOf(path, found)
    for (const form of forms) assert.ok(seen.has(form), `no ${form} in this image`)
  })
}

/** Numbers and extents of some files, as `filefrag` lists them: `unwritten` is its word. */
const FRAGMENT = /^ *\d+: +(\d+)\.\. *\d+: +(\d+)\.\. *\d+: +(\d+):(.*)$/gmu
const FRAGMENT_UNIT_BYTES = 512

test('openXfs() maps files as filefrag does', { skip: needsLoopDevices() }, async () => {
  using folder = temporaryFolder()
  const path = folder.join('xfs.img')
  const mount = folder.join('mount')
  makeXfs(path, ['-b', 'size=1024'])
  const tree = { entryCount: 10, fragmentCount: 1000, blockSizeBytes: 1024, hasReflink: true }
  whileMounted(path, mount, () => fillXfs(mount, tree))
  const expected = whileMountedReadOnly(path, mount, () =>
    readdirSync(`${mount}/files`).map((name) => ({
      number: lstatSync(`${mount}/files/${name}`).ino,
      text: runTool('filefrag', ['-v', '-b512', `${mount}/files/${name}`]),
    })),
  )
  await using image = fileImage(path)
  const fileSystem = await openXfs(image)
  for (const { number, text } of expected) {
    const node = await fileSystem.readNode(number)
    const fragments = [...text.matchAll(FRAGMENT)]
      .filter(([, , , , flags]) => flags?.includes('unwritten') === false)
      .map((match): Extent => {
        const [offset = 0, physicalOffset = 0, length = 0] = match
          .slice(1, 4)
          .map((unit) => Number(unit) * FRAGMENT_UNIT_BYTES)
        return { kind: 'data', offset, length, device: 0, physicalOffset }
      })
    const range = { offset: 0, length: node.sizeBytes }
    const wanted = range.length === 0 ? [] : await collect(restrictExtents([fragments], [[range]]))
    const found = range.length === 0 ? [] : await collect(fileSystem.fileExtents(node, range, NEVER))
    assert.deepEqual(
      found.filter(({ kind }) => kind === 'data'),
      wanted,
      text,
    )
    assert.equal(
      found.reduce((sum, { length }) => sum + length, 0),
      node.sizeBytes,
    )
  }
})

test('fileExtents() has the part of the map that is asked for', { skip: needsLoopDevices() }, async () => {
  using folder = temporaryFolder()
  const path = folder.join('xfs.img')
  const mount = folder.join('mount')
  makeXfs(path, [])
  const tree = { entryCount: 10, fragmentCount: 4000, blockSizeBytes: 4096, hasReflink: true }
  const number = { fragmented: 0 }
  whileMounted(path, mount, () => {
    fillXfs(mount, tree)
    number.fragmented = lstatSync(`${mount}/files/fragmented`).ino
  })
  await using image = fileImage(path)
  const fileSystem = await openXfs(image)
  const node = await fileSystem.readNode(number.fragmented)
  const whole = await collect(fileSystem.fileExtents(node, { offset: 0, length: node.sizeBytes }, NEVER))
  const anyRange = fc
    .tuple(fc.nat(node.sizeBytes - 1), fc.integer({ min: 1, max: 100_000 }))
    .map(([offset, length]) => ({ offset, length: Math.min(length, node.sizeBytes - offset) }))
  await fc.assert(
    fc.asyncProperty(anyRange, async (range) => {
      const found = await collect(fileSystem.fileExtents(node, range, NEVER))
      assert.deepEqual(found, await collect(restrictExtents([whole], [[range]])))
    }),
  )
})

function makeXfs(path: string, mkfs: readonly string[]): void {
  writeFileSync(path, '')
  truncateSync(path, 700 * 2 ** 20)
  runTool('mkfs.xfs', ['-q', ...mkfs, path])
}

function whileMountedReadOnly<T>(path: string, mount: string, read: () => T): T {
  using device = loopDevice(path, { readOnly: true })
  mkdirSync(mount, { recursive: true })
  runTool('mount', ['-o', 'ro,norecovery', device.path, mount])
  try {
    return read()
  } finally {
    runTool('umount', [mount])
  }
}

/** One file at a time: a difference of two trees of 60,000 files is not worth printing. */
function assertSameTree(found: FileTree, expected: FileTree): void {
  for (const [path, file] of expected) assert.deepEqual(found.get(path), file, path)
  assert.equal(found.size, expected.size)
}

/** How the forks are kept, as `xfs_db` says. */
function formsOf(path: string, tree: FileTree): ReadonlySet<string> {
  const files = [...tree.values()].filter(({ kind }) => ['file', 'directory', 'symlink'].includes(kind))
  const kinds = new Map(files.map(({ number, kind }) => [number, kind]))
  const words = [...kinds.keys()].flatMap((number) => [
    '-c',
    `inode ${number}`,
    '-c',
    'p core.format core.aformat',
  ])
  const lines = runTool('xfs_db', ['-r', ...words, path])
    .trim()
    .split('\n')
  const forms = lines.map((line) => /\((\w+)\)/u.exec(line)?.[1] ?? '')
  return new Set(
    [...kinds.values()].flatMap((kind, index) => [
      `${kind} ${forms[2 * index]}`,
      `attributes ${forms[2 * index + 1]}`,
    ]),
  )
}
