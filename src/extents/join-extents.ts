import type { Extent } from '../domain/extent.ts'
import { endOf } from '../domain/range.ts'

/** Two extents are one when they touch and are both zero, or lie one after the other on one device. */
export function joinExtents(last: Extent, next: Extent): Extent | null {
  if (endOf(last) !== next.offset) return null
  const { offset } = last
  const length = last.length + next.length
  if (last.kind === 'zero' && next.kind === 'zero') return { kind: 'zero', offset, length }
  if (last.kind !== 'data' || next.kind !== 'data') return null
  const { device, physicalOffset } = last
  if (next.device !== device || next.physicalOffset !== physicalOffset + last.length) return null
  return { kind: 'data', offset, length, device, physicalOffset }
}
