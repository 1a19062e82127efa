import type { StoredPoint } from '../domain/recovery-point.ts'
import type { DamagedPoint, Points } from './points.ts'
import { POINT_PREFIX_LENGTH_MIN, pointAmbiguous, selectPoint } from './select-point.ts'

/** A point to remove: sound, or so damaged that only its id is known. */
export type Removal = StoredPoint | DamagedPoint

/**
 * As `selectPoint`, and a damaged point can be named by its id, so that it can be removed. Throws POINT_MISSING
 * or POINT_AMBIGUOUS.
 */
export function selectRemoval({ points, damaged }: Points, selector: string): Removal {
  if (!/^[0-9a-f]+$/.test(selector) || selector.length < POINT_PREFIX_LENGTH_MIN) {
    return selectPoint(points, selector)
  }
  const bad = damaged.filter((one) => one.id.startsWith(selector))
  const [first] = bad
  if (first === undefined) return selectPoint(points, selector)
  const ids = [...bad, ...points.filter((stored) => stored.id.startsWith(selector))].map((one) => one.id)
  if (ids.length > 1) throw pointAmbiguous(selector, ids)
  return first
}
