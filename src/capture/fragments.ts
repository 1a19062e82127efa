import type { Extent } from '../domain/extent.ts'

/** How many separate pieces of a disk hold the data of a map: neighbours on one device are one. */
export function countFragments(extents: Iterable<Extent>): number {
  let count = 0
  let device = -1
  let end = -1
  for (const extent of extents) {
    if (extent.kind !== 'data') continue
    if (extent.device !== device || extent.physicalOffset !== end) count += 1
    device = extent.device
    end = extent.physicalOffset + extent.length
  }
  return count
}
