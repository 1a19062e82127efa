import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'

import { builtFileSet } from '../../../test/support/built-file-set.ts'
import { bytesImage } from '../../../test/support/bytes-image.ts'
import { readFormatTree, type FileTree } from '../../../test/support/file-tree.ts'
import { modelFileSystem, type ModelFile } from '../../../test/support/model-files.ts'
import type { FrozenImage } from '../../domain/frozen-image.ts'
import { openFileSet } from '../../formats/file-set/open-file-set.ts'
import { readFileSetIndex } from '../../formats/file-set/read-index.ts'
import type { FileTime } from '../../formats/file-system.ts'
import { walkFiles } from '../../../test/support/walk-files.ts'

const CHUNK = 16 * 1024
const VOLUME = bytesImage(
  Uint8Array.from({ length: 2 ** 20 }, (_, at) => (Math.imul(at >>> 2, 2654435761) >>> 24) | 1),
)
const { signal } = new AbortController()

/** What makes two trees comparable: numbers of a file set are places. */
function withoutNumbers(tree: FileTree): Map<string, object> {
  return new Map([...tree].map(([path, { number: _number, ...file }]) => [path, file]))
}

async function treeOf(image: FrozenImage): Promise<Map<string, object>> {
  return withoutNumbers(await readFormatTree(await openFileSet(image), image))
}

const time: fc.Arbitrary<FileTime> = fc.record({
  seconds: fc.oneof(fc.integer({ min: -(2 ** 40), max: 2 ** 40 }), fc.constant(1_700_000_000)),
  nanoseconds: fc.integer({ min: 0, max: 999_999_999 }),
})
const bytes = fc.uint8Array({ maxLength: 40 })
const attribute = fc.record({ name: fc.uint8Array({ minLength: 1, maxLength: 30 }), value: bytes })
const large = fc.constantFrom(500, 1100, 5000, 40_000).map((length) => ({
  name: Buffer.from('user.large'),
  value: new Uint8Array(length).fill(length % 251),
}))
const about = {
  mode: fc.integer({ min: 0, max: 0o7777 }),
  userId: fc.constantFrom(0, 1000, 4_000_000_000),
  times: fc.tuple(time, time, time, fc.option(time)),
  attributes: fc.oneof(
    { weight: 5, arbitrary: fc.constant([]) },
    fc.uniqueArray(attribute, { maxLength: 3, selector: ({ name }) => String(name) }),
    large.map((one) => [one]),
  ),
}
/** Gaps and lengths of pieces; a length of 0 is none. */
const pieces = fc
  .array(fc.tuple(fc.constantFrom(0, 0, 1, 4096, 20_000, 200_000), fc.integer({ min: 1, max: 60_000 })), {
    maxLength: 5,
  })
  .chain((list) =>
    fc.record({ list: fc.constant(list), tail: fc.constantFrom(0, 0, 1, 70_000), isInline: fc.boolean() }),
  )
  .map(({ list, tail, isInline }) => {
    let offset = 0
    const made = list.map(([gap, length], index) => {
      const start = offset + gap
      offset = start + length
      if (isInline && length < 200) return { offset: start, bytes: new Uint8Array(length).fill(0x40 + index) }
      return { offset: start, length, at: (start * 7 + index * 4096) % (VOLUME.sizeBytes - 60_000) }
    })
    return { pieces: made, sizeBytes: offset + tail }
  })
const leaf: fc.Arbitrary<ModelFile> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .record(about)
      .chain((one) => pieces.map((more) => ({ ...one, ...more, kind: 'file' as const }))),
  },
  fc.record({
    ...about,
    kind: fc.constant('symlink' as const),
    target: fc.uint8Array({ minLength: 1, maxLength: 3000 }),
  }),
  fc.record({
    ...about,
    kind: fc.constantFrom('block-device' as const, 'character-device' as const),
    device: fc.record({ major: fc.nat(4095), minor: fc.nat(2 ** 20 - 1) }),
  }),
  fc.record({ ...about, kind: fc.constantFrom('fifo' as const, 'socket' as const) }),
)
const name = fc
  .uint8Array({ minLength: 1, maxLength: 12 })
  .map((list) =>
    Buffer.from(list.map((byte) => (byte === 0 || byte === 0x2f ? 0x2e : byte))).toString('latin1'),
  )
  .filter((text) => text !== '.' && text !== '..')

/** Directories by number from 2 on, each in one before; leaves from 1000 on, some with several names. */
const model: fc.Arbitrary<Map<number, ModelFile>> = fc
  .record({
    folders: fc.array(fc.record({ ...about, parent: fc.nat(), name }), { maxLength: 12 }),
    leaves: fc.array(
      fc.record({
        file: leaf,
        names: fc.array(fc.record({ parent: fc.nat(), name }), { minLength: 1, maxLength: 3 }),
      }),
      {
        maxLength: 60,
      },
    ),
  })
  .map(({ folders, leaves }) => {
    const entries = [new Map<string, number>()]
    const files = new Map<number, ModelFile>()
    for (const [index, { parent, name: text, ...folder }] of folders.entries()) {
      const above = entries[parent % entries.length]
      const own = new Map<string, number>()
      entries.push(own)
      files.set(index + 3, { ...folder, kind: 'directory', sizeBytes: 4096, entries: own })
      if (above?.has(text) === false) above.set(text, index + 3)
    }
    for (const [index, { file, names }] of leaves.entries()) {
      files.set(index + 1000, file)
      for (const { parent, name: text } of names) {
        const above = entries[parent % entries.length]
        if (above?.has(text) === false) above.set(text, index + 1000)
      }
    }
    return files.set(2, {
      kind: 'directory',
      sizeBytes: 4096,
      entries: entries[0] ?? new Map<string, number>(),
    })
  })

test('openFileSet() finds what buildFileSet() was given', async () => {
  await fc.assert(
    fc.asyncProperty(model, model, async (files, others) => {
      const fileSystem = modelFileSystem(files)
      const { built, image } = await builtFileSet(fileSystem, VOLUME, { chunkSizeBytes: CHUNK })
      assert.equal(built.unreadable.count, 0)
      assert.deepEqual(await treeOf(image), withoutNumbers(await readFormatTree(fileSystem, VOLUME)))
      // Whatever lay where before.
      const before = await readFileSetIndex(image)
      const after = modelFileSystem(others)
      const next = await builtFileSet(after, VOLUME, { chunkSizeBytes: CHUNK, before })
      assert.deepEqual(await treeOf(next.image), withoutNumbers(await readFormatTree(after, VOLUME)))
    }),
    { numRuns: 60 },
  )
})

/** `count` files in folders of 500. */
function manyFiles(count: number, of: (index: number) => ModelFile | null): Map<number, ModelFile> {
  const files = new Map<number, ModelFile>()
  const top = new Map<string, number>()
  for (let index = 0; index < count; index += 1) {
    const folder = 3 + Math.floor(index / 500)
    if (!files.has(folder)) files.set(folder, { kind: 'directory', entries: new Map<string, number>() })
    top.set(`folder ${folder}`, folder)
    const file = of(index)
    if (file === null) continue
    files.set(1000 + index, file)
    const entries = files.get(folder)?.entries
    if (entries instanceof Map) entries.set(`file ${index}`, 1000 + index)
  }
  return files.set(2, { kind: 'directory', entries: top })
}

function smallFile(index: number, length = 1000 + (index % 700)): ModelFile {
  return {
    kind: 'file',
    sizeBytes: length,
    pieces: [{ offset: 0, length, at: (index * 1021) % (VOLUME.sizeBytes - length) }],
  }
}

async function chunksOf(image: FrozenImage): Promise<readonly Buffer[]> {
  const chunks: Buffer[] = []
  for (let offset = 0; offset < image.sizeBytes; offset += CHUNK) {
    const chunk = new Uint8Array(CHUNK)
    await image.readInto(chunk, offset)
    chunks.push(Buffer.from(chunk))
  }
  return chunks
}

/** A change moves what comes after it in its bin, and no other bin. */
test('buildFileSet() leaves what did not change where it was', async () => {
  const count = 4000
  const first = await builtFileSet(modelFileSystem(manyFiles(count, smallFile)), VOLUME, {
    chunkSizeBytes: CHUNK,
  })
  const before = await readFileSetIndex(first.image)
  const had = await chunksOf(first.image)
  const changes: Record<string, (index: number) => ModelFile | null> = {
    'one file grew': (index) => smallFile(index, index === 777 ? 9000 : undefined),
    'one file came': (index) => (index === 3000 ? smallFile(index, 3) : smallFile(index)),
    'one file went': (index) => (index === 3001 ? null : smallFile(index)),
    'one file became large': (index) => smallFile(index, index === 2600 ? 50 * CHUNK + 1 : undefined),
  }
  for (const [what, of] of Object.entries(changes)) {
    const fileSystem = modelFileSystem(manyFiles(count, of))
    const next = await builtFileSet(fileSystem, VOLUME, { chunkSizeBytes: CHUNK, before })
    const has = await chunksOf(next.image)
    const moved = has.filter((chunk, index) => had[index]?.equals(chunk) !== true).length
    // A large file has 51 of its own, and all that comes after it in its bin moves.
    const limit = what === 'one file became large' ? 160 : 20
    assert.ok(moved <= limit, `${what}: ${moved} of ${has.length} chunks differ`)
    assert.deepEqual(await treeOf(next.image), withoutNumbers(await readFormatTree(fileSystem, VOLUME)))
  }
})

test('buildFileSet() lays out anew what has become mostly unused', async () => {
  const first = await builtFileSet(modelFileSystem(manyFiles(10_000, smallFile)), VOLUME, {
    chunkSizeBytes: CHUNK,
  })
  const few = modelFileSystem(manyFiles(1000, smallFile))
  const second = await builtFileSet(few, VOLUME, {
    chunkSizeBytes: CHUNK,
    before: await readFileSetIndex(first.image),
  })
  assert.ok(second.image.sizeBytes >= first.image.sizeBytes)
  const third = await builtFileSet(few, VOLUME, {
    chunkSizeBytes: CHUNK,
    before: await readFileSetIndex(second.image),
  })
  assert.ok(third.image.sizeBytes < first.image.sizeBytes / 5, `${third.image.sizeBytes} bytes`)
  assert.deepEqual(await treeOf(third.image), withoutNumbers(await readFormatTree(few, VOLUME)))
})

test('buildFileSet() takes the chosen files and the folders that lead to them', async () => {
  const fileSystem = modelFileSystem(manyFiles(2000, smallFile))
  const paths = ['/folder 4/file 700', '/folder 5', '/folder 5/file 1001', 'folder 4//file 701/']
  const { image } = await builtFileSet(fileSystem, VOLUME, { chunkSizeBytes: CHUNK, paths })
  const opened = await openFileSet(image)
  const found: string[] = []
  for await (const batch of walkFiles(opened, await opened.readNode(opened.rootInodeNumber), signal)) {
    for (const one of batch) found.push(Buffer.from(one.path).toString())
  }
  const expected = Array.from({ length: 500 }, (_, index) => `folder 5/file ${1000 + index}`)
  assert.deepEqual(
    found.toSorted(),
    ['', 'folder 4', 'folder 5', 'folder 4/file 700', 'folder 4/file 701', ...expected].toSorted(),
  )
})

test('buildFileSet() names what it cannot read, and keeps the rest', async () => {
  const files = manyFiles(600, (index) => {
    if (index === 5) return { ...smallFile(index), unreadable: 'node' }
    if (index === 6) return { ...smallFile(index), unreadable: 'content' }
    return index === 7 ? { ...smallFile(index), unreadable: 'attributes' } : smallFile(index)
  })
  files.set(4, { ...files.get(4), kind: 'directory', unreadable: 'entries' })
  const { built, image } = await builtFileSet(modelFileSystem(files), VOLUME, { chunkSizeBytes: CHUNK })
  assert.equal(built.unreadable.count, 4)
  assert.equal(
    built.unreadable.describe(),
    '4 files are not wholly in the point, because they cannot be read: "/folder 3/file 5" (Cannot read node of 1005), ' +
      '"/folder 3/file 6" (Cannot read content of 1006), "/folder 3/file 7" (stored without its extended attributes: ' +
      'Cannot read attributes of 1007), "/folder 4" (Cannot read entries of 4)',
  )
  const tree = await treeOf(image)
  // The root, two folders, all files but two.
  assert.equal(tree.size, 3 + 598)
})

test('buildFileSet() refuses a chosen path that it cannot read', async () => {
  const files = manyFiles(600, smallFile)
  files.set(4, { ...files.get(4), kind: 'directory', unreadable: 'entries' })
  files.set(7, { kind: 'symlink', target: Buffer.from('/elsewhere') })
  const entries = files.get(2)?.entries
  assert(entries instanceof Map)
  entries.set('link', 7)
  const fileSystem = modelFileSystem(files)
  const refused = async (path: string, code: string, message: RegExp): Promise<void> => {
    const build = builtFileSet(fileSystem, VOLUME, { chunkSizeBytes: CHUNK, paths: ['/folder 3', path] })
    await assert.rejects(build, { code, message })
  }
  await refused(
    '/folder 4',
    'SOURCE_UNREADABLE',
    /^Cannot back up "\/folder 4" of model: Cannot read entries of 4$/,
  )
  await refused(
    '/folder 9/x',
    'SOURCE_MISSING',
    /^Cannot back up "\/folder 9\/x" of model: "\/" has no "folder 9"$/,
  )
  await refused('/folder 3/file 1/x', 'SOURCE_MISSING', /"\/folder 3\/file 1" is no folder$/)
  await refused(
    '/link/x',
    'SOURCE_MISSING',
    /"\/link" is a symbolic link to "\/elsewhere", required is a path without links$/,
  )
  const { image } = await builtFileSet(fileSystem, VOLUME, { chunkSizeBytes: CHUNK, paths: ['/link'] })
  assert.deepEqual([...(await treeOf(image)).keys()], ['', '/link'])
})
