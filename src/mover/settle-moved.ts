import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import type { Range } from '../domain/range.ts'
import { alignRanges } from '../extents/align-ranges.ts'
import { inOrder } from '../extents/in-order.ts'
import type { TreeShape } from '../repository/tree-shape.ts'
import type { MovedExtents } from './backup-source.ts'
import { intersectMasks, isEmptyMask, leafMasks } from './leaf-mask.ts'
import type { ReadLeaf } from './run-object.ts'

export type Identify = (signal: AbortSignal) => Promise<MovedExtents | null>

/** A source that moves what was just read so often is being moved faster than it can be read. */
const ROUNDS_MAX = 32

export type SettleParts = {
  readonly identify: Identify
  readonly shape: TreeShape
  readonly remap: (map: MovedExtents['map']) => Promise<void>
  readonly readAgain: (leaf: ReadLeaf, places: Uint8Array) => Promise<ReadLeaf>
  readonly signal: AbortSignal
}

/**
 * A sequence lock over storage: asks whether anything moved since the leaves began to be read, and reads what did
 * again, where it lies now, until nothing of what was read last has moved. No other leaf of the image may be under
 * way. Throws SOURCE_CHANGED when there is no end to it.
 */
export async function settleMoved(
  leaves: readonly ReadLeaf[],
  parts: SettleParts,
): Promise<readonly ReadLeaf[]> {
  const settled = new Map(leaves.map((leaf) => [leaf.plan.leafIndex, leaf]))
  let unsettled = new Map(leaves.map(({ plan }) => [plan.leafIndex, plan.read]))
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const moved = await parts.identify(parts.signal)
    if (moved !== null) await parts.remap(moved.map)
    unsettled = await movedPlaces(moved?.ranges ?? [], unsettled, parts.shape)
    if (unsettled.size === 0) return [...settled.values()]
    const again = [...unsettled].flatMap(([leafIndex, places]) => {
      const leaf = settled.get(leafIndex)
      return leaf === undefined ? [] : [parts.readAgain(leaf, places)]
    })
    for (const leaf of await allSettledOf(again)) settled.set(leaf.plan.leafIndex, leaf)
  }
  const message = `Cannot read the image: its extents moved in each of ${ROUNDS_MAX} rounds while they were read, required is that what was read once stays in place for a moment`
  throw new BackupError(ErrorCode.SourceChanged, message)
}

/** Of the places that were read, those that moved since. */
async function movedPlaces(
  ranges: readonly Range[],
  read: ReadonlyMap<number, Uint8Array>,
  shape: TreeShape,
): Promise<Map<number, Uint8Array>> {
  const again = new Map<number, Uint8Array>()
  const { chunkSizeBytes } = shape
  for await (const { leafIndex, mask } of leafMasks(alignRanges(inOrder([ranges]), shape), chunkSizeBytes)) {
    const places = intersectMasks(mask, read.get(leafIndex) ?? new Uint8Array(mask.length))
    if (!isEmptyMask(places)) again.set(leafIndex, places)
  }
  return again
}

/** Waits for all, also when one fails: no read may be under way when the lanes are told of another map. */
async function allSettledOf<T>(work: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(work)
  return await Promise.all(work)
}
