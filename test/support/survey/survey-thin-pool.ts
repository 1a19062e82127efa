import type { FrozenImage } from '../../../src/domain/frozen-image.ts'
import { listThinDevices } from '../../../src/formats/dm-thin/thin-devices.ts'
import { differenceOfThinVolumes } from '../../../src/formats/dm-thin/thin-difference.ts'
import { thinExtents, thinMappings } from '../../../src/formats/dm-thin/thin-mappings.ts'
import { openThinPool, type ThinPool } from '../../../src/formats/dm-thin/thin-pool.ts'
import { usedDataRanges } from '../../../src/formats/dm-thin/thin-used-ranges.ts'
import { cachedImage } from '../../../src/images/cached-image.ts'
import { complaining, type Complaint } from './complaint.ts'
import { MapJudge, RangeJudge } from './judge-ranges.ts'
import { SurveyFailure, type SurveyLimit } from './survey-limit.ts'

export type ThinPoolSurvey = {
  /** Null when it could not be opened. */
  readonly pool: ThinPool | null
  /** Mapped data blocks by device number, of those that could be read wholly. */
  readonly mappedBlocks: ReadonlyMap<number, number>
  readonly complaints: readonly Complaint[]
}

type ThinOptions = { readonly limit: SurveyLimit; readonly signal: AbortSignal }

/** Reads all that the metadata of a thin pool tells: now, or in the metadata snapshot that it holds. */
export async function surveyThinPool(
  image: FrozenImage,
  isSnapshot: boolean,
  options: ThinOptions,
): Promise<ThinPoolSurvey> {
  const complaints: Complaint[] = []
  const mappedBlocks = new Map<number, number>()
  const pool = await complaining(complaints, '', () =>
    openThinPool(cachedImage(image), { snapshot: isSnapshot }),
  )
  if (pool === null) return { pool, mappedBlocks, complaints }
  const devices = await complaining(complaints, '', () => listThinDevices(pool, options.signal))
  let before: number | null = null
  for (const { deviceId } of devices ?? []) {
    const count = await complaining(complaints, '', () => surveyDevice(pool, deviceId, options))
    if (count !== null) mappedBlocks.set(deviceId, count)
    const other = before ?? deviceId
    await complaining(complaints, '', () => surveyDifference(pool, [other, deviceId], options))
    before = deviceId
  }
  await complaining(complaints, '', async () => {
    const judge = new RangeJudge('what is in use', pool.dataBlockCount * pool.dataBlockBytes)
    for await (const batch of usedDataRanges(pool, options.signal)) {
      options.limit.step(batch.length)
      for (const range of batch) judge.take(range)
    }
  })
  for (const { structure, offsetBytes, found } of pool.findings) {
    complaints.push({ volume: '', kind: 'finding', structure, offsetBytes, sentence: found })
  }
  return { pool, mappedBlocks, complaints }
}

async function surveyDevice(pool: ThinPool, deviceId: number, options: ThinOptions): Promise<number> {
  const { limit, signal } = options
  let count = 0
  let end = 0
  for await (const { begins, dataBegins, lengths } of thinMappings({ pool, deviceId }, null, signal)) {
    limit.step(begins.length)
    for (const [index, begin] of begins.entries()) {
      const length = lengths[index] ?? 0
      const dataEnd = (dataBegins[index] ?? 0) + length
      if (begin < end || length < 1 || dataEnd > pool.dataBlockCount) {
        throw new SurveyFailure(
          `device ${deviceId} maps ${length} blocks at ${begin} to the end at ${dataEnd}`,
        )
      }
      end = begin + length
      count += length
    }
  }
  const range = { offset: 0, length: (end + 1) * pool.dataBlockBytes }
  const deviceSizes = [pool.dataBlockCount * pool.dataBlockBytes]
  const judge = new MapJudge(`thin device ${deviceId}`, range, deviceSizes)
  for await (const batch of thinExtents({ pool, deviceId }, range, signal)) {
    limit.step(batch.length)
    for (const extent of batch) judge.take(extent)
  }
  judge.end()
  return count
}

async function surveyDifference(
  pool: ThinPool,
  [before, after]: readonly [number, number],
  { limit, signal }: ThinOptions,
): Promise<void> {
  const judge = new RangeJudge('a difference', Number.MAX_SAFE_INTEGER)
  const volumes = [
    { pool, deviceId: before },
    { pool, deviceId: after },
  ] as const
  for await (const batch of differenceOfThinVolumes(volumes[0], volumes[1], signal)) {
    limit.step(batch.length)
    for (const range of batch) judge.take(range)
  }
}
