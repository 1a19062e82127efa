import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { KINDS, loadBase } from './base.ts'
import { Breed } from './breed.ts'
import { readCase, writeCase } from './case-file.ts'
import { fuzzKind } from './fuzz-kind.ts'
import { makeCase } from './make-case.ts'
import { makeImages } from './make-images.ts'
import { runCase } from './run-case.ts'
import { shareMs } from './shares.ts'

const FIXED_SEED = 20_261_122
/** For all kinds together, half of it with the fixed seed and half with a fresh one. */
const MS_TOTAL = 30_000

for (const kind of KINDS) {
  test(`readers of ${kind} do nothing but refuse, whatever is damaged`, async () => {
    using folder = temporaryFolder()
    const drafts = await makeImages(kind, folder.path)
    const seeds = [FIXED_SEED, Math.floor(Math.random() * 2 ** 31)]
    const ms = shareMs(kind, KINDS, MS_TOTAL)
    const casePath = join(tmpdir(), `icecore-fuzz-${kind}`)
    const { caseCount, complaintCount, failures } = await fuzzKind({ kind, drafts, seeds, ms, casePath })
    assert.deepEqual(failures, [], `seeds ${seeds.join(' and ')}; npm run fuzz -- --replay FILE`)
    // A fuzzer that gets nothing done, or damages nothing that matters, finds nothing.
    assert(caseCount >= 10 && complaintCount > 0, `${caseCount} cases, ${complaintCount} noticed`)
  })
}

test('sound images are read without a word', async () => {
  using folder = temporaryFolder()
  for (const kind of ['ext4', 'xfs', 'dm-thin', 'dm-snapshot', 'file-set'] as const) {
    for (const { name, images } of await Promise.all((await makeImages(kind, folder.path)).map(loadBase))) {
      const { sentences } = await runCase(kind, images)
      // The journal with content is there on purpose.
      if (!name.includes('journal')) assert.deepEqual(sentences, [], name)
    }
  }
})

test('readCase() reads what writeCase() wrote, and the case is the same for the same recipe', async () => {
  using folder = temporaryFolder()
  const bases = await Promise.all((await makeImages('mbr', folder.path)).map(loadBase))
  const made = [
    [7, 8],
    [7, 8],
    [7, 9],
  ].map((steps) => makeCase(bases, { seed: FIXED_SEED, steps }).images[0])
  const [image, again, other] = made
  assert(image !== undefined && again !== undefined && other !== undefined)
  const whole = (bytes: typeof image): Buffer => Buffer.from(bytes.read(0, bytes.sizeBytes))
  assert(whole(image).equals(whole(again)))
  assert(!whole(image).equals(whole(other)))
  const path = folder.join('case.json')
  writeCase(path, { kind: 'mbr', images: [image] }, 'a reason')
  const { kind, images } = readCase(path)
  assert.equal(kind, 'mbr')
  assert(images[0] !== undefined && whole(images[0]).equals(whole(image)))
  assert.deepEqual(await runCase(kind, images), await runCase(kind, [image]))
})

test('Breed goes on from damage of which something new was said, as long as the image is still read', () => {
  const breed = new Breed(1)
  const stepsOf = (count: number): number =>
    Math.max(...Array.from({ length: 60 }, (_, index) => breed.next(index + count).steps.length))
  assert.equal(stepsOf(0), 1)
  breed.learn({ seed: 1, steps: [5] }, { sentences: ['block 7: it is odd'], stepCount: 0 })
  breed.learn({ seed: 1, steps: [6] }, { sentences: ['block 8: it is odd'], stepCount: 100 })
  assert.equal(stepsOf(100), 2, 'the first is new')
  const unread = new Breed(1)
  unread.learn({ seed: 1, steps: [5] }, { sentences: [], stepCount: 100 })
  unread.learn({ seed: 1, steps: [6] }, { sentences: ['superblock: it is none'], stepCount: 0 })
  assert(
    Array.from({ length: 60 }, (_, index) => unread.next(index)).every(({ steps }) => steps.length === 1),
  )
})
