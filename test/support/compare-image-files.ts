import assert from 'node:assert/strict'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

import { endOf, type Range } from '../../src/domain/range.ts'
import { openExt4 } from '../../src/formats/ext4/open-ext4.ts'
import type { FileSystem } from '../../src/formats/file-system.ts'
import { openXfs } from '../../src/formats/xfs/open-xfs.ts'
import { changedFiles, type FileChange } from '../../src/restore/changed-files.ts'
import { compareFiles } from '../../src/restore/compare-files.ts'
import { RangeSet } from '../../src/restore/range-set.ts'
import { fileImage } from './bytes-image.ts'

const CHUNK_BYTES = 64 * 1024

export type ComparedImageFiles = {
  /** `modified /a content times`, as a walk through all folders finds them. */
  readonly walked: readonly string[]
  /** The same, as they are found from the chunks that differ. */
  readonly followed: readonly string[]
  readonly walkedBecause: string | null
  /** What was read for each, and how much the chunks that differ have. */
  readonly walkedBytes: number
  readonly followedBytes: number
  readonly changedBytes: number
}

/** Which files differ between two image files, found in both ways. */
export async function compareImageFiles(before: string, after: string): Promise<ComparedImageFiles> {
  const changed = new RangeSet()
  let changedBytes = 0
  for (const range of differingChunks(before, after)) {
    changed.add(range)
    changedBytes += range.length
  }
  const walk = await openBoth(before, after, changed)
  const walked = await changedFiles(walk.sources)
  const follow = await openBoth(before, after, changed)
  const whole = { offset: 0, length: follow.sources.after.fileSystem.sizeBytes }
  const followed = await compareFiles(follow.sources, () => changed.within(whole))
  assert.deepEqual(walked.problems, [])
  assert.deepEqual(followed.problems, [])
  return {
    walked: walked.changes.map(describe),
    followed: followed.changes.map(describe),
    walkedBecause: followed.walkedBecause,
    walkedBytes: walk.counts.readBytes,
    followedBytes: follow.counts.readBytes,
    changedBytes,
  }
}

type Both = {
  readonly sources: Parameters<typeof compareFiles>[0]
  readonly counts: { readBytes: number }
}

async function openBoth(before: string, after: string, changed: RangeSet): Promise<Both> {
  const counts = { readBytes: 0 }
  const onRead = ({ length }: Range): void => void (counts.readBytes += length)
  const [one, other] = [fileImage(before, { onRead }), fileImage(after, { onRead })]
  const sources = {
    before: { fileSystem: await openFileSystem(one), image: one },
    after: { fileSystem: await openFileSystem(other), image: other },
    isUnchanged: (range: Range) => !changed.touches(range),
    signal: new AbortController().signal,
  }
  return { sources, counts }
}

async function openFileSystem(image: ReturnType<typeof fileImage>): Promise<FileSystem> {
  const magic = new Uint8Array(4)
  await image.readInto(magic, 0)
  return Buffer.from(magic).toString() === 'XFSB' ? await openXfs(image) : await openExt4(image)
}

function describe({ kind, path, previousPath, fields, node }: FileChange): string {
  const paths = [previousPath, path].flatMap((one) => (one === null ? [] : [Buffer.from(one).toString()]))
  return [kind, ...paths, ...fields, `(${node.number})`].join(' ')
}

function* differingChunks(before: string, after: string): Generator<Range> {
  const files = [openSync(before, 'r'), openSync(after, 'r')]
  const [one, other] = [new Uint8Array(CHUNK_BYTES), new Uint8Array(CHUNK_BYTES)]
  const [first = 0, second = 0] = files
  try {
    const { size } = fstatSync(second)
    for (let offset = 0; offset < size; offset += CHUNK_BYTES) {
      const range = { offset, length: Math.min(CHUNK_BYTES, size - offset) }
      one.fill(0)
      readSync(first, one, 0, range.length, offset)
      other.fill(0)
      readSync(second, other, 0, range.length, offset)
      assert(endOf(range) <= size)
      if (Buffer.compare(one, other) !== 0) yield range
    }
  } finally {
    for (const file of files) closeSync(file)
  }
}
