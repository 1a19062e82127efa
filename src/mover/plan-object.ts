import type { Range, RangeBatch } from '../domain/range.ts'
import type { Randomness } from '../domain/randomness.ts'
import type { RunMode } from '../domain/run-mode.ts'
import { alignRanges } from '../extents/align-ranges.ts'
import { intersectRanges } from '../extents/intersect-ranges.ts'
import { measureRanges } from '../extents/measure-ranges.ts'
import { subtractRanges } from '../extents/subtract-ranges.ts'
import { unionRanges } from '../extents/union-ranges.ts'
import type { TreeBase } from '../repository/tree-writer.ts'
import type { TreeShape } from '../repository/tree-shape.ts'
import { leafIndexes } from '../repository/tree-walk.ts'
import type { BackupSource, RangeStream } from './backup-source.ts'
import { joinLeaves } from './join-leaves.ts'
import { EMPTY_MASK, intersectMasks, leafMasks, MASK_SIZE, type LeafMask } from './leaf-mask.ts'
import { rememberRanges } from './remember-ranges.ts'
import { rotatingShare } from './rotating-share.ts'
import { chunksAt, countChunks, drawRanks } from './witnesses.ts'

/** What is to be found out about one leaf. */
export type LeafPlan = {
  readonly leafIndex: number
  /** The places whose content is settled by this run: read, or known to be holes. The others stay as in the base. */
  readonly scope: Uint8Array
  /** Of those, the places that hold data and are read. */
  readonly read: Uint8Array
  /** Of `scope`, the places that the change list calls unchanged. */
  readonly tested: Uint8Array
}

export type WitnessPlan = {
  readonly candidateCount: number
  readonly count: number
  readonly rotatingCount: number
}

export type ObjectPlan = {
  readonly mode: RunMode
  /** Can be walked once; ascending. */
  readonly leaves: AsyncIterable<LeafPlan>
  readonly allocatedBytes: number
  readonly plannedReadBytes: number
  readonly listedBytes: number | null
  readonly witnesses: WitnessPlan | null
  readonly rotationNext: number
}

export type PlanInput = {
  readonly source: BackupSource
  readonly shape: TreeShape
  readonly base: TreeBase | null
  readonly mode: RunMode
  /** Witnesses to draw; 0 for none. */
  readonly witnessCount: number
  /** Every byte is read again every so many runs; 0 for never. */
  readonly rotationRuns: number
  /** Where the rotating share begins, a chunk position. */
  readonly rotationStart: number
  readonly randomness: Randomness
  readonly signal: AbortSignal
}

/** Cuts the work on one image into leaves of its tree. Every mode ends in a complete tree; they differ in what is read. */
export async function planObject(input: PlanInput): Promise<ObjectPlan> {
  const mapped = await rememberRanges(() => input.source.dataRanges(wholeOf(input), input.signal))
  const data = alignedData(input, mapped)
  const allocatedBytes = (await measureRanges(mapped())).lengthBytes
  switch (input.mode) {
    case 'full':
    case 'compared':
      return {
        mode: input.mode,
        leaves: wholeLeaves(input, data),
        allocatedBytes,
        plannedReadBytes: (await measureRanges(data())).lengthBytes,
        listedBytes: null,
        witnesses: null,
        rotationNext: input.rotationStart,
      }
    case 'incremental':
      return { ...(await planIncremental(input, data)), allocatedBytes }
  }
}

async function planIncremental(
  input: PlanInput,
  data: RangeStream,
): Promise<Omit<ObjectPlan, 'allocatedBytes'>> {
  const { source, shape } = input
  const list = source.changes ?? noRanges
  const changed = changedRanges(input, list)
  const share = await rotatingShare({ ...input, data })
  const rotating = [share.ranges]
  const fresh = newlyUsed(input, data)
  const unlisted = (): AsyncIterable<RangeBatch> => subtractRanges(subtractRanges(data(), changed()), fresh())
  const candidates = (): AsyncIterable<RangeBatch> => subtractRanges(unlisted(), rotating)
  const candidateCount = await countChunks(candidates(), shape.chunkSizeBytes)
  const rotatingCount = await countChunks(intersectRanges(unlisted(), rotating), shape.chunkSizeBytes)
  const ranks = drawRanks(input.randomness, { candidateCount, count: input.witnessCount })
  const settled = (): AsyncIterable<RangeBatch> => unionRanges(changed(), fresh())
  const tested = (): AsyncIterable<RangeBatch> =>
    subtractRanges(
      unionRanges(rotating, chunksAt(candidates(), ranks, shape.chunkSizeBytes)),
      unionRanges(settled(), leftOut(input, data)),
    )
  const scope = (): AsyncIterable<RangeBatch> => unionRanges(unionRanges(settled(), rotating), tested())
  return {
    mode: 'incremental',
    leaves: incrementalLeaves({ scope, tested, data }, shape.chunkSizeBytes),
    plannedReadBytes: (await measureRanges(intersectRanges(scope(), data()))).lengthBytes,
    listedBytes: (await measureRanges(list())).lengthBytes,
    witnesses: { candidateCount, count: ranks.length, rotatingCount },
    rotationNext: share.next,
  }
}

/** Everything is in scope where there is data or the base has a chunk; the rest is zeros on both sides. */
async function* wholeLeaves(input: PlanInput, data: RangeStream): AsyncGenerator<LeafPlan> {
  const inBase = input.base === null ? noLeaves() : baseLeaves(input, input.base)
  const full = new Uint8Array(MASK_SIZE).fill(0xff)
  for await (const { leafIndex, masks } of joinLeaves([
    leafMasks(data(), input.shape.chunkSizeBytes),
    inBase,
  ])) {
    yield { leafIndex, scope: full, read: masks[0] ?? EMPTY_MASK, tested: EMPTY_MASK }
  }
}

async function* incrementalLeaves(
  streams: { readonly scope: RangeStream; readonly tested: RangeStream; readonly data: RangeStream },
  chunkSizeBytes: number,
): AsyncGenerator<LeafPlan> {
  const all = [streams.scope, streams.tested, streams.data].map((stream) =>
    leafMasks(stream(), chunkSizeBytes),
  )
  for await (const { leafIndex, masks } of joinLeaves(all)) {
    const [scope = EMPTY_MASK, tested = EMPTY_MASK, data = EMPTY_MASK] = masks
    if (scope.every((byte) => byte === 0)) continue
    yield { leafIndex, scope, tested, read: intersectMasks(scope, data) }
  }
}

/** The leaves of the base that the image still has, and the last leaf of an image whose size changed. */
async function* baseLeaves(input: PlanInput, base: TreeBase): AsyncGenerator<LeafMask> {
  const mask = new Uint8Array(MASK_SIZE).fill(0xff)
  const last = input.shape.leafCount - 1
  let seenLast = base.shape.sizeBytes === input.shape.sizeBytes
  for await (const leafIndex of leafIndexes(base, { nodes: base.nodes, signal: input.signal })) {
    if (leafIndex > last) break
    if (leafIndex === last) seenLast = true
    yield { leafIndex, mask }
  }
  if (!seenLast) yield { leafIndex: last, mask }
}

async function* noLeaves(): AsyncGenerator<LeafMask> {}

async function* noRanges(): AsyncGenerator<RangeBatch> {}

function wholeOf(input: PlanInput): Range {
  return { offset: 0, length: input.source.sizeBytes }
}

function alignedData(input: PlanInput, mapped: RangeStream): RangeStream {
  const { chunkSizeBytes, sizeBytes } = input.shape
  return () => alignRanges(mapped(), { chunkSizeBytes, sizeBytes })
}

/**
 * What the list names, in whole chunks. Where an image grew or shrank, everything from the last chunk that both
 * sizes share is taken for changed, whatever the list says.
 */
function changedRanges(input: PlanInput, list: RangeStream): RangeStream {
  const { chunkSizeBytes, sizeBytes } = input.shape
  const listed = (): AsyncIterable<RangeBatch> => alignRanges(list(), { chunkSizeBytes, sizeBytes })
  const baseSize = input.base?.shape.sizeBytes ?? sizeBytes
  if (baseSize === sizeBytes) return listed
  const lastShared = Math.floor((Math.min(baseSize, sizeBytes) - 1) / chunkSizeBytes) * chunkSizeBytes
  return () => unionRanges(listed(), [[{ offset: lastShared, length: sizeBytes - lastShared }]])
}

/** Data now that the base run left out as free: read, and no evidence against the list. */
function newlyUsed(input: PlanInput, data: RangeStream): RangeStream {
  const { baseData } = input.source
  if (baseData === null) return noRanges
  const { chunkSizeBytes, sizeBytes } = input.shape
  const whole = wholeOf(input)
  const before = (): AsyncIterable<RangeBatch> =>
    alignRanges(intersectRanges(baseData(), [[whole]]), { chunkSizeBytes, sizeBytes })
  return () => subtractRanges(data(), before())
}

/**
 * Chunks that are no data because they are proven free. In the base they may hold what a file left that was deleted
 * since: in the rotating share they become zeros, and that is no evidence against the list either.
 */
function leftOut(input: PlanInput, data: RangeStream): AsyncIterable<RangeBatch> {
  const { freeRanges } = input.source
  if (freeRanges === undefined) return noRanges()
  const { chunkSizeBytes, sizeBytes } = input.shape
  const free = intersectRanges(freeRanges(), [[wholeOf(input)]])
  return subtractRanges(alignRanges(free, { chunkSizeBytes, sizeBytes }), data())
}
