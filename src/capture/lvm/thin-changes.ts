import { intersectRanges } from '../../extents/intersect-ranges.ts'
import { RangeTable } from '../../extents/range-table.ts'
import { differenceOfThinVolumes } from '../../formats/dm-thin/thin-difference.ts'
import type { ThinVolume } from '../../formats/dm-thin/thin-pool.ts'

/**
 * What of `after` is mapped otherwise than in `before`. Throws RangeError when that is more than fits into memory,
 * FormatError when one of the two cannot be read.
 */
export async function thinChanges(
  { before, after, sizeBytes }: { before: ThinVolume; after: ThinVolume; sizeBytes: number },
  signal: AbortSignal,
): Promise<RangeTable> {
  const whole = { offset: 0, length: sizeBytes }
  return await RangeTable.read(intersectRanges(differenceOfThinVolumes(before, after, signal), [[whole]]))
}
