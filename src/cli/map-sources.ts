import { findProvenFree, type ProvenFree } from '../capture/proven-free.ts'
import { ErrorCode, isBackupError } from '../domain/backup-error.ts'
import type { ProgressListener } from '../domain/progress.ts'
import type { StoredPoint } from '../domain/recovery-point.ts'
import type { LeftOut } from '../stores/left-out/left-out-format.ts'
import type { IndexedRepository } from './open-repository.ts'
import type { NamedSource } from './open-backup-sources.ts'
import { pointImages } from './point-images.ts'

export type MapParts = {
  readonly repository: IndexedRepository
  readonly progress: ProgressListener
  readonly signal: AbortSignal
}

/**
 * What need not be read of each source; null for one whose file systems may be changing, of which nothing is proven.
 * They are looked at together: a volume group may lie on several.
 */
export async function mapSources(
  parts: MapParts,
  sources: readonly NamedSource[],
): Promise<ReadonlyMap<string, ProvenFree>> {
  const still = sources.filter((source) => !source.isMountedForWriting)
  if (still.length === 0) return new Map()
  parts.progress({ event: 'phase', phase: 'Mapping', totalBytes: null })
  const { chunkSizeBytes } = parts.repository.repository.config
  const images = still.map(({ name, local }) => ({ name, image: local.image() }))
  const found = await findProvenFree(images, { atLeastBytes: chunkSizeBytes, signal: parts.signal })
  return new Map(
    still.flatMap(({ name }, index) => (found[index] === undefined ? [] : [[name, found[index]]])),
  )
}

/** What a reader of the base says when the repository, and not its store, is at fault. */
const BASE_UNREADABLE = [ErrorCode.ChunkMissing, ErrorCode.ChunkDamaged, ErrorCode.RepositoryDamaged]

/**
 * What the base run left out, by object: found again from the same bytes, in the repository. Of a base that cannot be
 * read, everything: then all that is data now is read.
 */
export async function findLeftOut(parts: MapParts, base: StoredPoint): Promise<LeftOut> {
  const { objects } = base.point
  const imageOf = pointImages(parts.repository)
  const images = objects.map((object) => ({ name: object.name, image: imageOf(object) }))
  const { chunkSizeBytes } = parts.repository.repository.config
  const found = await orNull(() =>
    findProvenFree(images, { atLeastBytes: chunkSizeBytes, signal: parts.signal }),
  )
  return new Map(
    objects.map(({ name, sizeBytes }, index) => [
      name,
      found?.[index]?.ranges ?? [{ offset: 0, length: sizeBytes }],
    ]),
  )
}

async function orNull<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work()
  } catch (error) {
    if (isBackupError(error, ...BASE_UNREADABLE)) return null
    throw error
  }
}
