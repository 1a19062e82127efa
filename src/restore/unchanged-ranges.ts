import type { Extent } from '../domain/extent.ts'
import { endOf, type Range } from '../domain/range.ts'
import type { ExtentLayer } from '../extents/compose-extents.ts'
import { cutExtent } from '../extents/cut-extent.ts'
import type { RangeSet } from './range-set.ts'

/** A volume, and by device of its map which of the compared images that is; null for one that has no counterpart. */
export type ComparedVolume = { readonly layer: ExtentLayer; readonly images: readonly (number | null)[] }

/**
 * Whether a range of a volume is surely the same in two points: it lies at the same place of the same image in both,
 * and the images do not differ there. `changed` says by image where they do.
 */
export function unchangedRanges(
  volumes: { readonly before: ComparedVolume; readonly after: ComparedVolume },
  changed: readonly RangeSet[],
): (range: Range) => boolean {
  const { before, after } = volumes
  return (range) => {
    const [first, second] = [before.layer.extentsIn(range), after.layer.extentsIn(range)].map(iteratorOf)
    if (first === undefined || second === undefined) return false
    let [one, other] = [first.next().value, second.next().value]
    while (one !== undefined && other !== undefined) {
      const offset = Math.max(one.offset, other.offset)
      const run = { offset, length: Math.min(endOf(one), endOf(other)) - offset }
      if (!isSame({ before: cutExtent(one, run), after: cutExtent(other, run) }, volumes, changed))
        return false
      const end = endOf(run)
      if (endOf(one) === end) one = first.next().value
      if (other !== undefined && endOf(other) === end) other = second.next().value
    }
    return one === undefined && other === undefined
  }
}

function isSame(
  extents: { readonly before: Extent; readonly after: Extent },
  volumes: { readonly before: ComparedVolume; readonly after: ComparedVolume },
  changed: readonly RangeSet[],
): boolean {
  const { before, after } = extents
  if (before.kind === 'zero' && after.kind === 'zero') return true
  if (before.kind !== 'data' || after.kind !== 'data') return false
  if (before.physicalOffset !== after.physicalOffset) return false
  const image = volumes.after.images[after.device] ?? null
  if (image === null || volumes.before.images[before.device] !== image) return false
  return changed[image]?.touches({ offset: after.physicalOffset, length: after.length }) === false
}

function iteratorOf(extents: Iterable<Extent>): Iterator<Extent, undefined> {
  return (function* each() {
    yield* extents
    return undefined
  })()
}
