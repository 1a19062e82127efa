import assert from 'node:assert/strict'
import { test } from 'node:test'

import { builtFileSet } from '../../../test/support/built-file-set.ts'
import { bytesImage } from '../../../test/support/bytes-image.ts'
import { readFormatTree } from '../../../test/support/file-tree.ts'
import { modelFileSystem, type ModelFile } from '../../../test/support/model-files.ts'
import { seededRandomness } from '../../../test/support/seeded-randomness.ts'
import { crc32c } from '../../bytes/crc32c.ts'
import type { FrozenImage } from '../../domain/frozen-image.ts'
import { FormatError, UnmappedError } from '../format-error.ts'
import { BIN_HEADER, BIN_HEADER_SIZE_BYTES, HEADER } from './layout.ts'
import { openFileSet } from './open-file-set.ts'
import { readFileSetIndex } from './read-index.ts'

const CHUNK = 16 * 1024
const VOLUME = bytesImage(new Uint8Array(2 ** 20).fill(0x77))

/** A little of everything. */
function model(): Map<number, ModelFile> {
  const files = new Map<number, ModelFile>()
  const entries = new Map<string, number>()
  const inner = new Map<string, number>()
  const attribute = { name: Buffer.from('user.a'), value: new Uint8Array(20) }
  const long = { name: Buffer.from('user.long'), value: new Uint8Array(3000).fill(1) }
  for (let index = 0; index < 700; index += 1) {
    const length = index % 50 === 0 ? 40_000 : index
    const attributes = index % 100 === 0 ? [attribute, long] : index % 7 === 0 ? [attribute] : []
    const pieces = length === 0 ? [] : [{ offset: 0, length, at: index * 1000 }]
    const hole = index % 90 === 0 ? 100_000 : 0
    files.set(1000 + index, { kind: 'file', sizeBytes: length + hole, pieces, attributes })
    inner.set(`file ${index}`, 1000 + index)
    if (index % 30 === 0) entries.set(`again ${index}`, 1000 + index)
  }
  const many = Array.from({ length: 800 }, (_, index) => ({ offset: 3 * index, length: 1, at: index }))
  files.set(4, { kind: 'file', sizeBytes: 3000, pieces: many })
  files.set(5, { kind: 'symlink', target: Buffer.from('somewhere') })
  files.set(6, { kind: 'block-device', device: { major: 8, minor: 1 } })
  files.set(3, { kind: 'directory', entries: inner })
  for (const [name, number] of [
    ['holes', 4],
    ['link', 5],
    ['disk', 6],
    ['inner', 3],
  ] as const)
    entries.set(name, number)
  return files.set(2, { kind: 'directory', entries })
}

async function bytesOf(): Promise<Uint8Array> {
  const { image } = await builtFileSet(modelFileSystem(model()), VOLUME, { chunkSizeBytes: CHUNK })
  const bytes = new Uint8Array(image.sizeBytes)
  await image.readInto(bytes, 0)
  return bytes
}

/** Everything that can be read; what is damaged must be said to be so. Returns what was refused. */
async function readAll(image: FrozenImage): Promise<(FormatError | UnmappedError)[]> {
  const refused: (FormatError | UnmappedError)[] = []
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work()
    } catch (error) {
      if (!(error instanceof FormatError || error instanceof UnmappedError)) throw error
      refused.push(error)
    }
  }
  const { signal } = new AbortController()
  await attempt(async () => {
    const fileSystem = await openFileSet(image)
    const waiting = [fileSystem.rootInodeNumber]
    const seen = new Set(waiting)
    for (let number = waiting.pop(); number !== undefined; number = waiting.pop()) {
      const at = number
      await attempt(async () => {
        const node = await fileSystem.readNode(at)
        await attempt(async () => void (await fileSystem.readAttributes(node)))
        if (node.kind === 'symlink') await fileSystem.readSymlink(node)
        if (node.kind === 'file' && node.sizeBytes > 0) {
          const range = { offset: 0, length: node.sizeBytes }
          for await (const batch of fileSystem.fileExtents(node, range, signal)) {
            for (const extent of batch) {
              if (extent.kind !== 'data') continue
              assert(extent.physicalOffset >= 0 && extent.physicalOffset + extent.length <= image.sizeBytes)
            }
          }
        }
        if (node.kind !== 'directory') return
        for await (const batch of fileSystem.readDirectory(node, signal)) {
          for (const { inodeNumber } of batch) {
            if (!seen.has(inodeNumber)) waiting.push(inodeNumber)
            seen.add(inodeNumber)
          }
        }
      })
    }
  })
  return refused
}

test('openFileSet() refuses every changed byte of header, index and bins', async () => {
  const bytes = await bytesOf()
  const image = bytesImage(bytes)
  assert.deepEqual(await readAll(image), [])
  const { header, bins } = await readFileSetIndex(image)
  const places = [8, 0x10, 0x2f, 0x3f, header.indexOffset, header.indexOffset + header.indexSizeBytes - 1]
  for (const { place } of bins) places.push(place.position * CHUNK, place.position * CHUNK + 100)
  for (const at of places) {
    const before = bytes[at] ?? 0
    bytes[at] = before ^ 0x40
    const [first] = await readAll(image)
    assert.match(
      first?.message ?? '',
      /^Cannot read file set (header|index|bin \d+) at byte \d+: /,
      `byte ${at}`,
    )
    bytes[at] = before
  }
})

test('openFileSet() names a later version, and damage by its structure', async () => {
  const bytes = await bytesOf()
  const view = new DataView(bytes.buffer)
  const mend = (): void =>
    view.setUint32(HEADER.checksum[0], crc32c(bytes.subarray(0, HEADER.checksum[0])), true)
  const refuses = async (message: RegExp): Promise<void> => {
    mend()
    const [first] = await readAll(bytesImage(bytes))
    assert.match(first?.message ?? '', message)
  }
  view.setUint32(HEADER.version[0], 2, true)
  await refuses(/^Cannot read file set of version 2: this icecore reads version 1$/)
  view.setUint32(HEADER.version[0], 1, true)
  view.setUint32(HEADER.chunkSizeBytes[0], 5000, true)
  await refuses(/chunk size is 5000, expected a power of two from 16 KiB to 4 MiB$/)
  view.setUint32(HEADER.chunkSizeBytes[0], CHUNK, true)
  view.setBigUint64(HEADER.imageSizeBytes[0], 2n ** 60n, true)
  await refuses(/found 1152921504606847000, expected less than 2\^53$/)
  view.setBigUint64(HEADER.imageSizeBytes[0], BigInt(bytes.byteLength + CHUNK), true)
  await refuses(/the file set has \d+ bytes, the image \d+$/)
})

test('openFileSet() survives bins and indexes that lie with sound checksums', async () => {
  const bytes = await bytesOf()
  const image = bytesImage(bytes)
  const { header, bins } = await readFileSetIndex(image)
  const expected = await readFormatTree(await openFileSet(image), image)
  assert.equal(expected.size, 1 + 700 + 24 + 4)
  const randomness = seededRandomness(20_261_122)
  const draw = (limit: number): number => randomness.below(Math.max(1, limit))
  for (let round = 0; round < 300; round += 1) {
    const changed = bytes.slice()
    if (round % 4 === 0) {
      changed[header.indexOffset + draw(header.indexSizeBytes)] = draw(256)
      const index = changed.subarray(header.indexOffset, header.indexOffset + header.indexSizeBytes)
      const head = new DataView(changed.buffer)
      head.setUint32(HEADER.indexChecksum[0], crc32c(index), true)
      head.setUint32(HEADER.checksum[0], crc32c(changed.subarray(0, HEADER.checksum[0])), true)
    } else {
      const bin = bins[draw(bins.length)]
      assert(bin !== undefined)
      const start = bin.place.position * CHUNK
      const head = new DataView(changed.buffer, start)
      const sizeBytes = head.getUint32(BIN_HEADER.entriesSizeBytes[0], true)
      for (let count = draw(3); count >= 0; count -= 1) {
        changed[start + BIN_HEADER_SIZE_BYTES + draw(sizeBytes)] = draw(256)
      }
      const entries = changed.subarray(
        start + BIN_HEADER_SIZE_BYTES,
        start + BIN_HEADER_SIZE_BYTES + sizeBytes,
      )
      const checksum = crc32c(entries, crc32c(changed.subarray(start, start + BIN_HEADER.checksum[0])))
      head.setUint32(BIN_HEADER.checksum[0], checksum, true)
    }
    await readAll(bytesImage(changed))
  }
})
