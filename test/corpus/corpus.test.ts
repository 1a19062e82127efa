// Every image of a corpus of disk images, real, odd and damaged, is opened, mapped and walked. The corpus is no part
// of the repository, and none of what is in it may become one: only its names are here.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'

import type { Complaint } from '../support/survey/complaint.ts'
import type { ImageReport } from './check-image.ts'
import { checkImages, type CheckedImage } from './check-images.ts'
import { corpusFolder, needsCorpus } from './corpus-folder.ts'
import { INVISIBLE, NAMED, NOT_COMPARED, ODD_BUT_SOUND } from './expectations.ts'
import { checkLogicalVolumes, volumeGroups } from './logical-volumes.ts'
import { readManifest, type CorpusEntry } from './manifest.ts'

const skip = needsCorpus()
/** Of each of the two workers: what JavaScript holds, findings and free ranges and lists of files among it. */
const HEAP_MB_MAX = 160
/** Of the whole test: two heaps, two images without their zeros, buffers, and Node.js itself. */
const MEMORY_BYTES_MAX = 1024 ** 3
const MS_MAX = 120_000
/** Read as what they are; everything else is recognised, by its name. */
const READ_KINDS = /^(ext|xfs$|lvm$|dm-thin$|pt-(dos|gpt|PMBR)$)/

const entries = new Map<string, CorpusEntry>()
const reports = new Map<string, ImageReport>()
let crashes: readonly Extract<CheckedImage, { kind: 'crash' }>[] = []

before(async () => {
  if (skip !== false) return
  const folder = corpusFolder()
  for (const entry of readManifest(folder)) entries.set(entry.path, entry)
  const options = { folder, atOnce: 2, msMax: MS_MAX, heapMbMax: HEAP_MB_MAX }
  const checked = await checkImages([...entries.values()], options)
  for (const each of checked) if (each.kind === 'report') reports.set(each.report.path, each.report)
  crashes = checked.filter((each) => each.kind === 'crash')
})

test(
  'every image of the corpus is read to its end, within the bounds, with no error but a named one',
  { skip },
  () => {
    assert.deepEqual(crashes, [])
    assert.equal(reports.size, entries.size)
    assert(reports.size > 500, `${reports.size} images are less than the corpus has`)
  },
)

test('the corpus is read within a bound of memory', { skip }, () => {
  const { maxRSS } = process.resourceUsage()
  assert(maxRSS * 1024 <= MEMORY_BYTES_MAX, `${maxRSS} KiB`)
})

test('sound images of the corpus give the facts of the manifest', { skip }, () => {
  let comparedCount = 0
  for (const { path, problems, comparedCount: count } of reports.values()) {
    comparedCount += count
    if (lookUp(NOT_COMPARED, path) === undefined) assert.deepEqual(problems, [], path)
    else assert.notDeepEqual(problems, [], `${path} is as the facts say, after all`)
  }
  assert(comparedCount > 250, `${comparedCount} is less than what there is to compare`)
})

test('nothing is said of sound images of the corpus', { skip }, () => {
  for (const { path, complaints } of reports.values()) {
    const entry = entries.get(path)
    if (entry === undefined || isDamaged(entry) || !READ_KINDS.test(entry.kind)) continue
    const expected = lookUp(ODD_BUT_SOUND, path)
    if (expected === undefined) assert.deepEqual(complaints, [], path)
    else
      assert(
        complaints.some(({ sentence }) => expected.test(sentence)),
        path,
      )
  }
})

test(
  'damaged images of the corpus give complaints that name the structure and where it lies',
  { skip },
  () => {
    for (const { path, complaints } of reports.values()) {
      const entry = entries.get(path)
      if (entry === undefined || !isDamaged(entry) || !READ_KINDS.test(entry.kind)) continue
      if (lookUp(INVISIBLE, path) !== undefined) {
        assert.deepEqual(complaints, [], `${path}: there is something to see, after all`)
        continue
      }
      assert(complaints.some(isNamed), `${path}: nothing is said of it`)
      const [, expected] = NAMED.find(([pattern]) => pattern.test(path)) ?? []
      if (expected === undefined) continue
      const lines = complaints.map(({ structure, sentence }) => `${structure}: ${sentence}`)
      assert(
        lines.some((line) => expected.test(line)),
        `${path}: ${lines.join('\n')}`,
      )
    }
  },
)

test('what is not read of the corpus is recognised, by its name', { skip }, () => {
  for (const { path, complaints, content, provenCount } of reports.values()) {
    const entry = entries.get(path)
    if (entry === undefined || READ_KINDS.test(entry.kind) || content === 'empty') continue
    if (complaints.length === 0) assert.match(entry.kind, /^structure$/, path)
    assert(complaints.length === 0 || complaints.some(isNamed), path)
    assert.equal(provenCount, 0, path)
  }
})

test('logical volumes of the corpus that span disks lie where LVM says', { skip }, async () => {
  for (const group of volumeGroups(corpusFolder(), [...entries.values()])) {
    assert.deepEqual(await checkLogicalVolumes(corpusFolder(), group), [], group.folder)
  }
})

function isDamaged({ path, state }: CorpusEntry): boolean {
  return state === 'damaged' || path.startsWith('derived-')
}

/** A structure and where it lies; or what it is that is not read. */
function isNamed({ kind, structure, offsetBytes, sentence }: Complaint): boolean {
  if (structure === '' || sentence === '') return false
  return (
    kind === 'unmapped' || (offsetBytes !== null && Number.isSafeInteger(offsetBytes) && offsetBytes >= 0)
  )
}

function lookUp<T>(table: Readonly<Record<string, T>>, path: string): T | undefined {
  return Object.entries(table).find(([prefix]) => path.startsWith(prefix))?.[1]
}
