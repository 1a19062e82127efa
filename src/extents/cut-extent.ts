import { unreachable } from '../domain/unreachable.ts'
import type { Extent } from '../domain/extent.ts'
import type { Range } from '../domain/range.ts'

/** The part of `extent` that `run`, which lies within it, covers. */
export function cutExtent(extent: Extent, run: Range): Extent {
  const { offset, length } = run
  if (extent.offset === offset && extent.length === length) return extent
  const skipped = offset - extent.offset
  switch (extent.kind) {
    case 'data': {
      const { device, physicalOffset } = extent
      return { kind: 'data', offset, length, device, physicalOffset: physicalOffset + skipped }
    }
    case 'zero':
      return { kind: 'zero', offset, length }
    case 'inline':
      return { kind: 'inline', offset, length, bytes: extent.bytes.subarray(skipped, skipped + length) }
    default:
      return unreachable(extent)
  }
}

/** The same bytes at another logical offset. */
export function moveExtent(extent: Extent, offset: number): Extent {
  const { kind, length } = extent
  switch (kind) {
    case 'data':
      return { kind, offset, length, device: extent.device, physicalOffset: extent.physicalOffset }
    case 'zero':
      return { kind, offset, length }
    case 'inline':
      return { kind, offset, length, bytes: extent.bytes }
    default:
      return unreachable(kind)
  }
}
