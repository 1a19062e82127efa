import assert from 'node:assert/strict'
import { test } from 'node:test'

import { builtFileSet } from '../../test/support/built-file-set.ts'
import { bytesImage } from '../../test/support/bytes-image.ts'
import { changeModel, modelTree, type ModelTree } from '../../test/support/change-model.ts'
import { modelFileSystem } from '../../test/support/model-files.ts'
import { seededRandomness } from '../../test/support/seeded-randomness.ts'
import type { FrozenImage } from '../domain/frozen-image.ts'
import type { Range } from '../domain/range.ts'
import { openFileSet } from '../formats/file-set/open-file-set.ts'
import { readFileSetIndex, type FileSetIndex } from '../formats/file-set/read-index.ts'
import { changedFiles, type FileChange } from './changed-files.ts'
import { compareFiles, type FilesComparison } from './compare-files.ts'
import { RangeSet } from './range-set.ts'
import type { ComparedSources } from './same-content.ts'

const CHUNK = 16 * 1024
const SEED = Number(process.env['ICECORE_TEST_SEED'] ?? 1)
const VOLUME = bytesImage(
  Uint8Array.from({ length: 2 ** 20 }, (_, at) => (Math.imul(at >>> 2, 2654435761) >>> 24) | 1),
)

async function bytesOf(tree: ModelTree, before?: FileSetIndex): Promise<Uint8Array> {
  const options = { chunkSizeBytes: CHUNK, ...(before === undefined ? {} : { before }) }
  const { image } = await builtFileSet(modelFileSystem(tree), VOLUME, options)
  const bytes = new Uint8Array(image.sizeBytes)
  await image.readInto(bytes, 0)
  return bytes
}

function describe({ kind, path, previousPath, fields, node }: FileChange): string {
  const paths = [previousPath, path].flatMap((one) => (one === null ? [] : [Buffer.from(one).toString()]))
  return [kind, ...paths, ...fields, `(${node.number})`].join(' ')
}

type BothWays = {
  readonly walked: readonly string[]
  readonly followed: readonly string[]
  readonly comparison: FilesComparison
  readonly walkedBytes: number
  readonly followedBytes: number
}

async function compareBothWays(before: Uint8Array, after: Uint8Array): Promise<BothWays> {
  const changed = new RangeSet()
  for (let offset = 0; offset < Math.max(before.byteLength, after.byteLength); offset += CHUNK) {
    const [one, other] = [before, after].map((bytes) => bytes.subarray(offset, offset + CHUNK))
    if (one !== undefined && other !== undefined && Buffer.compare(one, other) !== 0) {
      changed.add({ offset, length: CHUNK })
    }
  }
  const walk = await openBoth(before, after, changed)
  const walked = await changedFiles(walk.sources)
  assert.deepEqual(walked.problems, [])
  const follow = await openBoth(before, after, changed)
  const whole = { offset: 0, length: after.byteLength }
  const comparison = await compareFiles(follow.sources, () => changed.within(whole))
  return {
    walked: walked.changes.map(describe),
    followed: comparison.changes.map(describe),
    comparison,
    walkedBytes: walk.counts.readBytes,
    followedBytes: follow.counts.readBytes,
  }
}

async function openBoth(
  before: Uint8Array,
  after: Uint8Array,
  changed: RangeSet,
): Promise<{ readonly sources: ComparedSources; readonly counts: { readBytes: number } }> {
  const counts = { readBytes: 0 }
  const onRead = ({ length }: Range): void => void (counts.readBytes += length)
  const source = async (bytes: Uint8Array): Promise<ComparedSources['before']> => {
    const image: FrozenImage = bytesImage(bytes, { onRead })
    return { image, fileSystem: await openFileSet(image) }
  }
  const sources = {
    before: await source(before),
    after: await source(after),
    isUnchanged: (range: Range) => !changed.touches(range),
    signal: new AbortController().signal,
  }
  return { sources, counts }
}

/** As a backup after a backup lays it out. */
async function bytesAfter(before: Uint8Array, tree: ModelTree): Promise<Uint8Array> {
  return await bytesOf(tree, await readFileSetIndex(bytesImage(before)))
}

test('compareFiles() finds from the chunks that differ of sets of files what a walk through all folders finds', async (t) => {
  t.diagnostic(`ICECORE_TEST_SEED=${SEED}`)
  const chance = seededRandomness(SEED)
  let found = 0
  let spared = 0
  for (let tree = 0; tree < 2; tree += 1) {
    const model = modelTree(chance, { folders: 10 + 30 * tree, files: 400 })
    for (let index = 0; index < 20; index += 1) changeModel(model, chance, 1)
    let before = await bytesOf(model)
    for (let round = 0; round < 8; round += 1) {
      changeModel(model, chance, [1, 2, 3, 30][round % 4] ?? 1)
      const after = await bytesAfter(before, model)
      const { walked, followed, comparison, ...counts } = await compareBothWays(before, after)
      assert.equal(comparison.walkedBecause, null)
      assert.deepEqual(comparison.problems, [])
      assert.deepEqual(followed, walked, `seed ${SEED}, tree ${tree}, round ${round}`)
      found += walked.length
      if (counts.followedBytes < counts.walkedBytes) spared += 1
      before = after
    }
  }
  t.diagnostic(`${found} changes, ${spared} of 16 comparisons read less than a walk`)
  assert(found > 80 && spared >= 4, `${found} changes, ${spared} comparisons`)
})

/** Folders of a hundred empty files each, and one file with a name in the first and one in the last of them. */
function manyFiles(folderCount: number): ModelTree {
  const root = new Map<string, number>()
  const tree: ModelTree = new Map([[2, { kind: 'directory', entries: root }]])
  tree.set(LINKED, { kind: 'file', sizeBytes: 0 })
  for (let folder = 0; folder < folderCount; folder += 1) {
    const entries = new Map<string, number>()
    const number = 1000 * (folder + 1)
    root.set(`folder ${1000 + folder}`, number)
    tree.set(number, { kind: 'directory', entries })
    for (let file = 1; file <= 100; file += 1) {
      entries.set(`file ${file} ${'with a long name '.repeat(5)}`, number + file)
      tree.set(number + file, { kind: 'file', sizeBytes: 0 })
    }
    if (folder === 0 || folder === folderCount - 1) entries.set('linked', LINKED)
  }
  return tree
}
const LINKED = 3

test('compareFiles() reads of sets of files what lies in chunks that differ, and of links what it takes to find them', async () => {
  const tree = manyFiles(30)
  const first = await bytesOf(tree)
  tree.set(15_050, { kind: 'file', sizeBytes: 0, mode: 0o600 })
  const second = await bytesAfter(first, tree)
  const one = await compareBothWays(first, second)
  assert.match(one.followed.join(), /^metadata \/folder 1014\/file 50 .* mode \(\d+\)$/)
  assert.deepEqual(one.followed, one.walked)
  assert(one.followedBytes < one.walkedBytes / 4, `${one.followedBytes} of ${one.walkedBytes}`)
  // The piece with its second name has the same bytes in both.
  tree.set(LINKED, { kind: 'file', sizeBytes: 0, mode: 0o600 })
  const linked = await compareBothWays(second, await bytesAfter(second, tree))
  assert.deepEqual(
    linked.followed.map((line) => line.replace(/ \(.*/u, '')),
    ['metadata /folder 1000/linked mode', 'metadata /folder 1029/linked mode'],
  )
  assert.deepEqual(linked.followed, linked.walked)
  assert(linked.followedBytes < linked.walkedBytes)
})

test('compareFiles() walks through all folders of sets of files where a piece that differs is damaged', async () => {
  const tree = manyFiles(20)
  const before = await bytesOf(tree)
  tree.set(5050, { kind: 'file', sizeBytes: 0, mode: 0o600 })
  const after = await bytesAfter(before, tree)
  const at = before.findIndex((byte, index) => index >= CHUNK && byte !== after[index])
  after[at] = (after[at] ?? 0) ^ 0x80
  const changed = new RangeSet()
  changed.add({ offset: 0, length: after.byteLength })
  const walk = await openBoth(before, after, changed)
  const walked = await changedFiles(walk.sources)
  const chunk = new RangeSet()
  chunk.add({ offset: Math.floor(at / CHUNK) * CHUNK, length: CHUNK })
  const follow = await openBoth(before, after, chunk)
  const { walkedBecause, ...followed } = await compareFiles(follow.sources, () =>
    chunk.within({ offset: 0, length: after.byteLength }),
  )
  assert.match(walkedBecause ?? '', /^Cannot read file set bin \d+ at byte \d+: checksum is /)
  assert.deepEqual(followed, walked)
  assert(followed.problems.length > 0)
})
