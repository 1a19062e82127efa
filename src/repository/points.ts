import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import type { RecoveryPoint, StoredPoint } from '../domain/recovery-point.ts'
import { Magic } from './magic.ts'
import { objectIdOf, POINTS_PREFIX } from './object-names.ts'
import { encodePoint, parsePoint, POINT_SIZE_MAX } from './point-format.ts'
import type { Repository } from './repository.ts'
import { fileIdOf, openFile, sealFile } from './sealed-file.ts'
import { listAll } from './store.ts'

/** A point that is there and cannot be used. */
export type DamagedPoint = { readonly id: string; readonly reason: string }
export type Points = { readonly points: readonly StoredPoint[]; readonly damaged: readonly DamagedPoint[] }

/** This many are read at a time. */
const READS_MAX = 32

/** All points, oldest first. Damaged ones are returned beside them: one bad file must not hide the good ones. */
export async function listPoints(repository: Repository): Promise<Points> {
  const ids = (await listAll(repository.store, POINTS_PREFIX)).map(objectIdOf).filter((id) => id !== null)
  const points: StoredPoint[] = []
  const damaged: DamagedPoint[] = []
  for (let at = 0; at < ids.length; at += READS_MAX) {
    const read = await Promise.all(ids.slice(at, at + READS_MAX).map((id) => readPoint(repository, id)))
    for (const found of read) {
      if (found === null) continue
      if ('reason' in found) damaged.push(found)
      else points.push(found)
    }
  }
  points.sort((a, b) => a.point.createdAt.localeCompare(b.point.createdAt) || a.id.localeCompare(b.id))
  return { points, damaged }
}

/** Null when it was removed meanwhile. */
async function readPoint(repository: Repository, id: string): Promise<StoredPoint | DamagedPoint | null> {
  try {
    const bytes = await repository.store.get(`${POINTS_PREFIX}${id}`, POINT_SIZE_MAX)
    return { id, point: parsePoint(openFile(repository.sealing, { magic: Magic.RecoveryPoint, id, bytes })) }
  } catch (error) {
    if (error instanceof BackupError && error.code === ErrorCode.StoreObjectMissing) return null
    if (error instanceof SyntaxError || error instanceof BackupError) return { id, reason: error.message }
    throw error
  }
}

/** Writes a point; everything that it refers to must be durable. Returns its id when it is durable itself. */
export async function writePoint(
  repository: Repository,
  made: { point: RecoveryPoint; salt: Uint8Array },
): Promise<string> {
  const body = encodePoint(made.point)
  parsePoint(body) // read back before it can be written
  const bytes = sealFile(repository.sealing, { magic: Magic.RecoveryPoint, salt: made.salt, body })
  const id = fileIdOf(bytes)
  await repository.store.put(`${POINTS_PREFIX}${id}`, bytes)
  await repository.store.flush()
  return id
}

/** Removes points; the chunks stay until they are pruned. */
export async function removePoints(repository: Repository, ids: readonly string[]): Promise<void> {
  for (const id of ids) await repository.store.delete(`${POINTS_PREFIX}${id}`)
  await repository.store.flush()
}
