import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import type { PointObject, StoredPoint } from '../domain/recovery-point.ts'

// Names in a sentence: more of them would hide it.
const NAMED_MAX = 10

/** The object that a person means: the one of that name, or the only one. Throws OBJECT_MISSING. */
export function selectObject(stored: StoredPoint, name: string | undefined): PointObject {
  const { objects } = stored.point
  const found = name === undefined ? objects : objects.filter((object) => object.name === name)
  const [first, ...others] = found
  if (first !== undefined && others.length === 0) return first
  const names = objects.map((object) => object.name)
  const has = names.slice(0, NAMED_MAX).map((each) => `"${each}"`)
  const finding = name === undefined ? `it has ${names.length} objects` : `it has no object "${name}"`
  const message = `Cannot choose an object of point ${stored.id.slice(0, 12)}: ${finding}, required is --object with one of ${has.join(', ')}`
  throw new BackupError(ErrorCode.ObjectMissing, message, { data: { pointId: stored.id, names } })
}
