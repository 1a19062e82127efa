import { BackupError, ErrorCode, isBackupError } from '../domain/backup-error.ts'
import type { StoredPoint } from '../domain/recovery-point.ts'
import type { Points } from './points.ts'

export const POINT_PREFIX_LENGTH_MIN = 4

/**
 * Finds the point that a person means: an id, a unique prefix of one (at least four digits), `latest`, or
 * `latest:LINEAGE`. `points` are ordered, oldest first. Throws POINT_MISSING or POINT_AMBIGUOUS.
 */
export function selectPoint(points: readonly StoredPoint[], selector: string): StoredPoint {
  if (selector === 'latest' || selector.startsWith('latest:')) return latest(points, selector)
  if (!/^[0-9a-f]+$/.test(selector) || selector.length < POINT_PREFIX_LENGTH_MIN) {
    throw missing(
      selector,
      `expected at least ${POINT_PREFIX_LENGTH_MIN} hexadecimal digits of its id, or latest`,
    )
  }
  const [first, ...others] = points.filter((stored) => stored.id.startsWith(selector))
  if (first === undefined) throw missing(selector, 'no recovery point has an id that begins so')
  if (others.length === 0) return first
  throw pointAmbiguous(
    selector,
    [first, ...others].map((stored) => stored.id),
  )
}

/**
 * As `selectPoint`, among all that a repository has: a point that may be meant and is damaged is not said to be
 * missing. Throws REPOSITORY_DAMAGED as well.
 */
export function selectSoundPoint({ points, damaged }: Points, selector: string): StoredPoint {
  try {
    return selectPoint(points, selector)
  } catch (error) {
    if (!isBackupError(error, ErrorCode.PointMissing)) throw error
    const isLatest = selector === 'latest' || selector.startsWith('latest:')
    const [first, ...others] = damaged.filter(({ id }) => isLatest || id.startsWith(selector))
    if (first === undefined) throw error
    const also = others.length === 0 ? '' : `, and ${others.length} more points are damaged`
    const message = `Cannot use point "${selector}": point ${first.id.slice(0, 12)} is damaged: ${first.reason}${also}`
    throw new BackupError(ErrorCode.RepositoryDamaged, message, { cause: error, data: { id: first.id } })
  }
}

function latest(points: readonly StoredPoint[], selector: string): StoredPoint {
  const lineage = selector.includes(':') ? selector.slice('latest:'.length) : null
  const found = points.findLast((stored) => lineage === null || stored.point.lineage === lineage)
  if (found !== undefined) return found
  const lineages = [...new Set(points.map((stored) => stored.point.lineage))]
  const has =
    lineages.length === 0 ? 'the repository has no points' : `there are ${lineages.slice(0, 5).join(', ')}`
  throw missing(selector, lineage === null ? has : `no point of lineage "${lineage}", ${has}`)
}

/** Several ids begin as `selector` does. */
export function pointAmbiguous(selector: string, ids: readonly string[]): BackupError {
  const message = `Cannot tell which point "${selector}" is: ${ids.length} ids begin so, give more digits`
  return new BackupError(ErrorCode.PointAmbiguous, message, { data: { selector, ids: ids.slice(0, 10) } })
}

function missing(selector: string, finding: string): BackupError {
  return new BackupError(ErrorCode.PointMissing, `Cannot find point "${selector}": ${finding}`, {
    data: { selector },
  })
}
