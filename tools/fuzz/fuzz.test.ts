import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { KINDS, loadBase } from './base.ts'
import { readCase, writeCase } from './case-file.ts'
import { fuzzKind } from './fuzz-kind.ts'
import { makeCase } from './make-case.ts'
import { makeImages } from './make-images.ts'
import { runCase } from './run-case.ts'

const FIXED_SEED = 20_261_122
/** For all kinds together, with the fixed seed and with a fresh one: half a minute. */
const MS_TOTAL = 30_000

for (const kind of KINDS) {
  test(`readers of ${kind} do nothing but refuse, whatever is damaged`, async () => {
    using folder = temporaryFolder()
    const drafts = makeImages(kind, folder.path)
    const ms = MS_TOTAL / KINDS.length / 2
    for (const seed of [FIXED_SEED, Math.floor(Math.random() * 2 ** 31)]) {
      const casePath = join(tmpdir(), `icecore-fuzz-${kind}-${seed}`)
      const { caseCount, complaintCount, failures } = await fuzzKind({ kind, drafts, seed, ms, casePath })
      assert.deepEqual(failures, [], `npm run fuzz -- --kind ${kind} --seed ${seed}`)
      // A fuzzer that gets nothing done, or damages nothing that matters, finds nothing.
      assert(caseCount >= 3 && complaintCount > 0, `${caseCount} cases, ${complaintCount} noticed`)
    }
  })
}

test('readCase() reads what writeCase() wrote, and the case is the same for the same seed', async () => {
  using folder = temporaryFolder()
  const bases = await Promise.all(makeImages('mbr', folder.path).map(loadBase))
  const [image, again, other] = [7, 7, 8].map((number) => makeCase(bases, FIXED_SEED, number)[0])
  assert(image !== undefined && again !== undefined && other !== undefined)
  const whole = (bytes: typeof image): Buffer => Buffer.from(bytes.read(0, bytes.sizeBytes))
  assert(whole(image).equals(whole(again)))
  assert(!whole(image).equals(whole(other)))
  const path = folder.join('case.json')
  writeCase(path, { kind: 'mbr', images: [image] }, 'a reason')
  const { kind, images } = readCase(path)
  assert.equal(kind, 'mbr')
  assert(images[0] !== undefined && whole(images[0]).equals(whole(image)))
  assert.equal(await runCase(kind, images), await runCase(kind, [image]))
})
