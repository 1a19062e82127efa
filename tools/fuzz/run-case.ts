import type { Range } from '../../src/domain/range.ts'
import { ExceptionStore } from '../../src/formats/dm-snapshot/exception-store.ts'
import { snapshotExtents } from '../../src/formats/dm-snapshot/snapshot-extents.ts'
import { cachedImage } from '../../src/images/cached-image.ts'
import { complaining, type Complaint } from '../../test/support/survey/complaint.ts'
import { MapJudge } from '../../test/support/survey/judge-ranges.ts'
import { surveyStack } from '../../test/support/survey/survey-stack.ts'
import { SurveyFailure, SurveyLimit, type SurveyLimits } from '../../test/support/survey/survey-limit.ts'
import { surveyThinPool } from '../../test/support/survey/survey-thin-pool.ts'
import { sparseImage, type SparseBytes } from '../../test/support/sparse-bytes.ts'
import type { Kind } from './base.ts'

/** Ten times what sound images take, and more. */
const LIMITS: SurveyLimits = { readCountMax: 50_000, stepCountMax: 2_000_000, msMax: 15_000 }
const ORIGIN_BYTES = 3000 * 4096

/** More at once, or altogether, is a size that nobody compared with anything. */
const READ_BYTES_MAX = 64 * 1024 * 1024
const ALL_BYTES_MAX = 1024 ** 3

export type CaseOutcome = {
  /** What was complained of. */
  readonly sentences: readonly string[]
  /** How much was read: files, extents, ranges, runs. */
  readonly stepCount: number
}

/** Opens, maps and walks damaged images. Throws for everything that a reader may not do. */
export async function runCase(kind: Kind, bytes: readonly SparseBytes[]): Promise<CaseOutcome> {
  const limit = new SurveyLimit(LIMITS)
  const complaints = await complaintsOf(kind, bytes, limit)
  // A stack takes every read behind the end for damage; the reader that asked for it should have known better.
  const unnamed = complaints.find(({ structure }) => structure === 'damaged')
  if (unnamed !== undefined) throw new SurveyFailure(`damage without a name: ${unnamed.sentence}`)
  return {
    sentences: complaints.map(({ structure, sentence }) => `${structure}: ${sentence}`),
    stepCount: limit.stepCount,
  }
}

async function complaintsOf(
  kind: Kind,
  bytes: readonly SparseBytes[],
  limit: SurveyLimit,
): Promise<readonly Complaint[]> {
  let byteCount = 0
  const onRead = ({ length }: Range): void => {
    limit.read()
    byteCount += length
    if (length > READ_BYTES_MAX || byteCount > ALL_BYTES_MAX)
      throw new SurveyFailure(`it reads ${length} bytes at once, ${byteCount} altogether`)
  }
  const images = bytes.map((each, index) => ({
    name: `disk${index}`,
    image: sparseImage(each, onRead),
  }))
  const { signal } = new AbortController()
  const [first] = images
  if (first === undefined) throw new RangeError('there is no image')
  if (kind === 'dm-thin') {
    const live = await surveyThinPool(first.image, false, { limit, signal })
    const held = await surveyThinPool(first.image, true, { limit, signal })
    return [...live.complaints, ...held.complaints]
  }
  if (kind === 'dm-snapshot') return await runStore(first.image, limit, signal)
  const { complaints } = await surveyStack(images, { limit, signal })
  return complaints
}

async function runStore(
  image: ReturnType<typeof sparseImage>,
  limit: SurveyLimit,
  signal: AbortSignal,
): Promise<readonly Complaint[]> {
  const complaints: Complaint[] = []
  await complaining(complaints, '', async () => {
    const store = await ExceptionStore.open(cachedImage(image))
    const range = { offset: 0, length: ORIGIN_BYTES }
    const judge = new MapJudge('snapshot', range, [ORIGIN_BYTES, image.sizeBytes])
    for await (const batch of snapshotExtents(store, { sizeBytes: ORIGIN_BYTES }, signal)) {
      limit.step(batch.length)
      for (const extent of batch) judge.take(extent)
    }
    judge.end()
  })
  return complaints
}
