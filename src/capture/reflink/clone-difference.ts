import type { Range, RangeBatch } from '../../domain/range.ts'
import { differenceExtents } from '../../extents/difference-extents.ts'
import { intersectRanges } from '../../extents/intersect-ranges.ts'
import { unionRanges } from '../../extents/union-ranges.ts'
import { comparableMap } from './comparable-map.ts'
import type { Clone } from '../../domain/file-clone.ts'

type Clones = { readonly base: Clone; readonly next: Clone }

/**
 * What may differ between two clones on one file system, as ranges of `next`: where their maps differ.
 *
 * Where both maps name the same place, the bytes are the same. For the base holds its blocks: what a clone refers to is
 * neither freed nor written in place, so the same place cannot have been given to other bytes while the base was held.
 * The source's writers get new blocks; that bytes moved, or that equal bytes were written again, costs a read.
 *
 * That argument needs a place to be told of both clones while both have it. A file system that moves the data of
 * clones (Btrfs, when it balances) could move the base's bytes away after its map was read, and others to their place
 * before the other map was: so both maps are read a second time, and what differs in either comparison counts. To
 * deceive both, the bytes would have to move to and fro in step with the reading.
 */
export async function* cloneDifference(clones: Clones, signal: AbortSignal): AsyncGenerator<RangeBatch> {
  const whole = wholeOf(clones.next)
  if (whole === null) return
  const first = mapDifference(clones, signal)
  const found = clones.next.isMoved ? unionRanges(first, mapDifference(clones, signal)) : first
  // The base may have been longer.
  yield* intersectRanges(found, [[whole]])
}

function mapDifference({ base, next }: Clones, signal: AbortSignal): AsyncGenerator<RangeBatch> {
  return differenceExtents(mapOf(base, 1, signal), mapOf(next, 2, signal))
}

function mapOf(clone: Clone, inexactDevice: number, signal: AbortSignal): ReturnType<typeof comparableMap> {
  const range = { offset: 0, length: clone.image.sizeBytes }
  return comparableMap(clone.extents(range, signal), { range, inexactDevice })
}

function wholeOf({ image }: Clone): Range | null {
  return image.sizeBytes === 0 ? null : { offset: 0, length: image.sizeBytes }
}
