import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { bytesImage } from '../../../test/support/bytes-image.ts'
import { runTool } from '../../../test/support/run-tool.ts'
import { seededRandomness } from '../../../test/support/seeded-randomness.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import type { FrozenImage } from '../../domain/frozen-image.ts'
import type { FileNode, FileSystem } from '../file-system.ts'
import { FormatError, UnmappedError } from '../format-error.ts'
import { walkFiles } from '../../../test/support/walk-files.ts'
import { openExt4 } from './open-ext4.ts'

const { signal } = new AbortController()
const ROUND_COUNT = 150
const DAMAGE_COUNT_MAX = 20

const KINDS: Readonly<Record<string, readonly string[]>> = {
  'ext4 without checksums': ['-t', 'ext4', '-O', '^metadata_csum,^uninit_bg,inline_data,ea_inode'],
  'ext4 with checksums': ['-t', 'ext4', '-O', 'metadata_csum,inline_data'],
  ext2: ['-t', 'ext2', '-O', '^dir_index'],
}

for (const [kind, words] of Object.entries(KINDS)) {
  test(`openExt4() ends, with nothing but what it names, for images of ${kind} that are damaged`, async () => {
    const sound = makeImage(words)
    const places = metadataPlaces(sound)
    const random = seededRandomness(20_261_122)
    for (let round = 0; round < ROUND_COUNT; round += 1) {
      const bytes = new Uint8Array(sound)
      const damageCount = 1 + random.below(DAMAGE_COUNT_MAX)
      for (let damage = 0; damage < damageCount; damage += 1) {
        const place = places[random.below(places.length)] ?? 0
        // Whole words, and often the largest numbers: what sizes, counts and addresses are made of.
        const value = random.below(2) === 0 ? 0xff : random.below(256)
        bytes.fill(value, place, place + 1 + random.below(4))
      }
      await readEverything(bytesImage(bytes))
    }
  })
}

async function readEverything(image: FrozenImage): Promise<void> {
  try {
    const fileSystem = await openExt4(image)
    for await (const ranges of fileSystem.usedRanges(signal)) assert(ranges.length > 0)
    const root = await fileSystem.readNode(fileSystem.rootInodeNumber)
    for await (const batch of walkFiles(fileSystem, root, signal)) {
      for (const item of batch) if (item.kind === 'file') await readFile(fileSystem, item.node)
    }
    assert(fileSystem.findings.length <= 1000)
  } catch (error) {
    requireNamed(error)
  }
}

async function readFile(fileSystem: FileSystem, node: FileNode): Promise<void> {
  try {
    await fileSystem.readAttributes(node)
    if (node.kind === 'symlink') await fileSystem.readSymlink(node)
    if (node.kind !== 'file' || node.sizeBytes === 0) return
    let position = 0
    for await (const batch of fileSystem.fileExtents(node, { offset: 0, length: node.sizeBytes }, signal)) {
      for (const { offset, length } of batch) {
        assert.equal(offset, position)
        position += length
      }
    }
    assert.equal(position, node.sizeBytes)
  } catch (error) {
    requireNamed(error)
  }
}

function requireNamed(error: unknown): void {
  if (!(error instanceof FormatError || error instanceof UnmappedError)) throw error
}

/** Where bytes are that are not zero: there is little but metadata in the image. */
function metadataPlaces(bytes: Uint8Array): readonly number[] {
  const places: number[] = []
  for (let at = 1024; at < bytes.byteLength; at += 1) if (bytes[at] !== 0) places.push(at)
  return places
}

function makeImage(words: readonly string[]): Uint8Array {
  using folder = temporaryFolder()
  const source = folder.join('tree')
  mkdirSync(`${source}/folder/below`, { recursive: true })
  writeFileSync(`${source}/folder/small`, 'small')
  writeFileSync(`${source}/folder/inline`, 'i'.repeat(100))
  writeFileSync(`${source}/fragmented`, '')
  for (let index = 0; index < 100; index += 1) {
    writeFileSync(`${source}/folder/below/${'n'.repeat(40)} ${index}`, '')
    runTool('dd', [
      'if=/dev/zero',
      `of=${source}/fragmented`,
      'bs=1',
      'count=1',
      `seek=${index * 8192}`,
      'status=none',
    ])
  }
  symlinkSync('l'.repeat(100), `${source}/link`)
  runTool('setfattr', ['-n', 'user.note', '-v', 'n'.repeat(300), `${source}/folder/small`])
  runTool('setfattr', ['-n', 'user.note', '-v', 'n'.repeat(30), `${source}/fragmented`])
  const path = folder.join('image')
  writeFileSync(path, '')
  truncateSync(path, 2 * 1024 * 1024)
  runTool('mke2fs', ['-q', '-F', '-b', '1024', '-I', '256', '-N', '256', ...words, '-d', source, path])
  return readFileSync(path)
}
