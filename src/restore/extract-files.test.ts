import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { writeExt4Image } from '../../test/support/ext4-image.ts'
import { mixedBytes } from '../../test/support/mixed-bytes.ts'
import { temporaryFolder, type TemporaryFolder } from '../../test/support/temporary-folder.ts'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import type { FrozenImage } from '../domain/frozen-image.ts'
import { formatPathBytes } from '../domain/path-text.ts'
import type { FileNode, FileSystem } from '../formats/file-system.ts'
import { FormatError } from '../formats/format-error.ts'
import { openExt4 } from '../formats/ext4/open-ext4.ts'
import { openTargetFolder } from '../linux/target-folder.ts'
import { extractFiles } from './extract-files.ts'
import type { ExtractOutcome } from './extract-report.ts'
import type { FileSource } from './file-pieces.ts'
import { selectFile } from './select-files.ts'

const MIB = 1024 * 1024
const never = new AbortController().signal
const name = (text: string): Uint8Array => new TextEncoder().encode(text)

/** An image in memory; `damaged` says which reads the repository would refuse. */
function imageOf(
  bytes: Uint8Array,
  isDamaged: (offset: number, length: number) => boolean = () => false,
): FrozenImage {
  return {
    sizeBytes: bytes.byteLength,
    sectorSizeBytes: 512,
    async *extents(range) {
      yield await Promise.resolve([
        { ...range, kind: 'data', device: 0, physicalOffset: range.offset },
      ] as const)
    },
    readInto: async (target, offset) => {
      await Promise.resolve()
      if (isDamaged(offset, target.byteLength)) {
        throw new BackupError(
          ErrorCode.ChunkDamaged,
          'Cannot open chunk 00: its content does not have this id',
        )
      }
      target.set(bytes.subarray(offset, offset + target.byteLength))
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

function sampleImage(folder: TemporaryFolder): Uint8Array {
  mkdirSync(folder.join('files', 'inner'), { recursive: true })
  for (const each of ['first', 'second', 'third']) {
    writeFileSync(folder.join('files', 'inner', each), mixedBytes(each, 3 * MIB))
  }
  const image = folder.join('image')
  writeExt4Image(image, { sizeBytes: 32 * MIB, filesFrom: folder.join('files') })
  return readFileSync(image)
}

async function openSample(image: FrozenImage): Promise<FileSource> {
  return { fileSystem: await openExt4(image), image }
}

async function extractAll(
  source: { readonly fileSystem: FileSystem; readonly image: FrozenImage },
  to: string,
  more: { readonly overwrite?: boolean; readonly signal?: AbortSignal } = {},
): Promise<ExtractOutcome> {
  mkdirSync(to, { recursive: true })
  using target = openTargetFolder(to)
  const root = await selectFile(source.fileSystem, [], never)
  const { overwrite = false, signal = never } = more
  return await extractFiles({ source, target, isTargetNew: true, overwrite, progress: () => {}, signal }, [
    root,
  ])
}

test('extractFiles() names a file that is damaged, leaves it out, and takes out the others', async () => {
  using folder = temporaryFolder()
  const bytes = sampleImage(folder)
  const opened = await openSample(imageOf(bytes))
  const { node } = await selectFile(opened.fileSystem, [name('inner'), name('second')], never)
  const [batch] = await Array.fromAsync(
    opened.fileSystem.fileExtents(node, { offset: 2 * MIB, length: 4096 }, never),
  )
  const extent = batch?.[0]
  assert.ok(extent?.kind === 'data')
  const bad = extent.physicalOffset
  const image = imageOf(bytes, (offset, length) => offset <= bad && bad < offset + length)
  const outcome = await extractAll(await openSample(image), folder.join('to'))
  assert.deepEqual(readdirSync(folder.join('to', 'inner')).toSorted(), ['first', 'third'])
  assert.deepEqual(
    outcome.problems.map(({ code, path }) => [code, formatPathBytes(path)]),
    [['CHUNK_DAMAGED', '/inner/second']],
  )
  assert.equal(outcome.fileCount, 2)
  assert.ok(readFileSync(folder.join('to', 'inner', 'third')).equals(mixedBytes('third', 3 * MIB)))
  // What was to be replaced by it stays.
  writeFileSync(folder.join('to', 'inner', 'second'), 'mine')
  await extractAll(await openSample(image), folder.join('to'), { overwrite: true })
  assert.equal(readFileSync(folder.join('to', 'inner', 'second'), 'utf8'), 'mine')
  assert.deepEqual(readdirSync(folder.join('to', 'inner')).toSorted(), ['first', 'second', 'third'])
})

test('extractFiles() takes out what a damaged folder names before the damage', async () => {
  using folder = temporaryFolder()
  const opened = await openSample(imageOf(sampleImage(folder)))
  const damage = new FormatError({ structure: 'directory block 1', offsetBytes: 4096 }, 'magic is 0x0')
  const fileSystem: FileSystem = Object.create(opened.fileSystem, {
    readNode: { value: (number: number) => opened.fileSystem.readNode(number) },
    readAttributes: { value: () => Promise.resolve([]) },
    fileExtents: { value: opened.fileSystem.fileExtents.bind(opened.fileSystem) },
    rootInodeNumber: { value: opened.fileSystem.rootInodeNumber },
    readDirectory: {
      value: async function* damagedDirectory(node: FileNode) {
        yield* opened.fileSystem.readDirectory(node, never)
        throw damage
      },
    },
  })
  const outcome = await extractAll({ fileSystem, image: opened.image }, folder.join('to'))
  assert.equal(outcome.fileCount, 3)
  const paths = outcome.problems.map(({ code, path }) => `${code} ${formatPathBytes(path)}`)
  assert.deepEqual(paths.toSorted(), ['FILE_DAMAGED /', 'FILE_DAMAGED /inner', 'FILE_DAMAGED /lost+found'])
})

test('extractFiles() leaves nothing half written when it is cancelled', async () => {
  using folder = temporaryFolder()
  const bytes = sampleImage(folder)
  const cancel = new AbortController()
  let isOpen = false
  const image = imageOf(bytes, (_offset, length) => {
    // More than a page of metadata: the first piece of a file.
    if (isOpen && length > 16 * 1024) cancel.abort(new Error('cancelled'))
    return false
  })
  const source = await openSample(image)
  isOpen = true
  await assert.rejects(extractAll(source, folder.join('to'), { signal: cancel.signal }), {
    message: 'cancelled',
  })
  assert.deepEqual(readdirSync(folder.join('to', 'inner')), [])
})

test('extractFiles() believes no name that leads elsewhere, and enters no folder twice', async () => {
  using folder = temporaryFolder()
  const opened = await openSample(imageOf(sampleImage(folder)))
  const { node } = await selectFile(opened.fileSystem, [name('inner'), name('first')], never)
  const inner = await selectFile(opened.fileSystem, [name('inner')], never)
  const lies = ['..', '.', '', 'a/b', '/etc', 'nul\0', '../elsewhere']
  const fileSystem: FileSystem = Object.create(opened.fileSystem, {
    readNode: { value: (number: number) => opened.fileSystem.readNode(number) },
    readAttributes: { value: () => Promise.resolve([]) },
    fileExtents: { value: opened.fileSystem.fileExtents.bind(opened.fileSystem) },
    rootInodeNumber: { value: opened.fileSystem.rootInodeNumber },
    readDirectory: {
      value: async function* readDirectory() {
        yield await Promise.resolve([
          ...lies.map((lie) => ({ name: name(lie), inodeNumber: node.number })),
          { name: name('true'), inodeNumber: node.number },
          { name: name('again'), inodeNumber: inner.node.number },
        ])
      },
    },
  })
  mkdirSync(folder.join('elsewhere'))
  const to = folder.join('to')
  mkdirSync(to)
  symlinkSync(folder.join('elsewhere'), folder.join('to', 'again'))
  const outcome = await extractAll({ fileSystem, image: opened.image }, to)
  assert.equal(
    outcome.problems.filter(({ message }) => message === 'no file can have this name').length,
    lies.length,
  )
  assert.equal(outcome.problems.filter(({ code }) => code === 'TARGET_EXISTS').length, 1)
  assert.deepEqual(readdirSync(to).toSorted(), ['again', 'true'])
  assert.deepEqual(readdirSync(folder.join('elsewhere')), [])
  const loop = await extractAll({ fileSystem, image: opened.image }, folder.join('loop'))
  assert.equal(loop.problems.filter(({ message }) => message === 'this folder is in two places').length, 1)
})
