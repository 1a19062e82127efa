import type { Extent } from '../domain/extent.ts'
import { endOf, type Range } from '../domain/range.ts'
import type { ExtentLayer } from '../extents/compose-extents.ts'
import { cutExtent } from '../extents/cut-extent.ts'
import type { RangeSet } from './range-set.ts'

/** A volume, and by device of its map which of the compared images that is; null for one that has no counterpart. */
export type ComparedVolume = { readonly layer: ExtentLayer; readonly images: readonly (number | null)[] }

export type ComparedVolumes = { readonly before: ComparedVolume; readonly after: ComparedVolume }

/**
 * Whether a range of a volume is surely the same in two points: it lies at the same place of the same image in both,
 * and the images do not differ there. `changed` says by image where they do.
 */
export function unchangedRanges(
  volumes: ComparedVolumes,
  changed: readonly RangeSet[],
): (range: Range) => boolean {
  return (range) => {
    for (const pair of pairsOf(volumes, range)) {
      const set = changedSet(pair, volumes, changed)
      if (set === 'same') continue
      if (set === 'other' || set.touches(placeOf(pair.after))) return false
    }
    return true
  }
}

/** The opposite: the parts of `range`, ascending, that may differ. What touches may come in parts. */
export function* changedRangesIn(
  volumes: ComparedVolumes,
  changed: readonly RangeSet[],
  range: Range,
): Generator<Range> {
  for (const pair of pairsOf(volumes, range)) {
    const { offset, length } = pair.after
    const set = changedSet(pair, volumes, changed)
    if (set === 'same') continue
    if (set === 'other') {
      yield { offset, length }
      continue
    }
    const place = placeOf(pair.after)
    for (const part of set.within(place)) {
      yield { offset: offset + part.offset - place.offset, length: part.length }
    }
  }
}

/** A run of a volume, and where it lies in each of the points. */
type ExtentPair = { readonly before: Extent; readonly after: Extent }

function* pairsOf({ before, after }: ComparedVolumes, range: Range): Generator<ExtentPair> {
  const [first, second] = [before.layer.extentsIn(range), after.layer.extentsIn(range)].map(iteratorOf)
  let [one, other] = [first?.next().value, second?.next().value]
  while (one !== undefined && other !== undefined) {
    const offset = Math.max(one.offset, other.offset)
    const run = { offset, length: Math.min(endOf(one), endOf(other)) - offset }
    yield { before: cutExtent(one, run), after: cutExtent(other, run) }
    const end = endOf(run)
    if (endOf(one) === end) one = first?.next().value
    if (other !== undefined && endOf(other) === end) other = second?.next().value
  }
}

/** Where the image that a run lies on differs; `other` when it lies elsewhere, `same` when it lies nowhere. */
function changedSet(
  { before, after }: ExtentPair,
  volumes: ComparedVolumes,
  changed: readonly RangeSet[],
): RangeSet | 'same' | 'other' {
  if (before.kind === 'zero' && after.kind === 'zero') return 'same'
  if (before.kind !== 'data' || after.kind !== 'data') return 'other'
  if (before.physicalOffset !== after.physicalOffset) return 'other'
  const image = volumes.after.images[after.device] ?? null
  if (image === null || volumes.before.images[before.device] !== image) return 'other'
  return changed[image] ?? 'other'
}

function placeOf(extent: Extent): Range {
  return { offset: extent.kind === 'data' ? extent.physicalOffset : 0, length: extent.length }
}

function iteratorOf(extents: Iterable<Extent>): Iterator<Extent, undefined> {
  return (function* each() {
    yield* extents
    return undefined
  })()
}
