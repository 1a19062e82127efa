import type { Extent, ExtentBatch } from '../../domain/extent.ts'
import { endOf, type Range } from '../../domain/range.ts'
import type { FileExtent } from '../../domain/file-clone.ts'

/** What extents of exactly known places lie on. */
const SPACE_DEVICE = 0

/**
 * The map of a clone, made to be compared with that of another clone: holes and what is unwritten are zeros, which are
 * the same everywhere, and what does not lie at an exact place lies on `inexactDevice`, another one for each of the
 * two, so that it is never the same.
 */
export async function* comparableMap(
  batches: AsyncIterable<readonly FileExtent[]>,
  { range, inexactDevice }: { readonly range: Range; readonly inexactDevice: number },
): AsyncGenerator<ExtentBatch> {
  let position = range.offset
  for await (const batch of batches) {
    const extents: Extent[] = []
    for (const extent of batch) {
      const { offset, length, physicalOffset } = extent
      if (offset > position) extents.push({ kind: 'zero', offset: position, length: offset - position })
      position = offset + length
      if (extent.place === 'unwritten') extents.push({ kind: 'zero', offset, length })
      else {
        const device = extent.place === 'exact' ? SPACE_DEVICE : inexactDevice
        extents.push({ kind: 'data', offset, length, device, physicalOffset })
      }
    }
    yield extents
  }
  const end = endOf(range)
  if (position < end) yield [{ kind: 'zero', offset: position, length: end - position }]
}
