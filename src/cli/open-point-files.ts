import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import type { FrozenImage } from '../domain/frozen-image.ts'
import type { PointObject, StoredPoint } from '../domain/recovery-point.ts'
import { FormatError, UnmappedError } from '../formats/format-error.ts'
import { openFileSystem } from '../formats/open-file-system.ts'
import { listPoints, type Points } from '../repository/points.ts'
import { selectObject } from '../repository/select-object.ts'
import { selectSoundPoint } from '../repository/select-point.ts'
import type { FileSource } from '../restore/file-pieces.ts'
import { noticeDamagedPoints } from './damaged-points.ts'
import type { Invocation } from './invocation.ts'
import { openIndexed, type IndexedRepository } from './open-repository.ts'
import { pointImages } from './point-images.ts'
import { shortId } from './short-id.ts'

/** A repository whose points can be read as images. */
export type ReadableRepository = AsyncDisposable & {
  readonly repository: IndexedRepository
  readonly points: Points
  imageOf(object: PointObject): FrozenImage
}

/** An object of a point, and the file system in it. */
export type PointFiles = {
  readonly stored: StoredPoint
  readonly object: PointObject
  readonly source: FileSource
}

type FilesInvocation = Pick<
  Invocation,
  'requireRepository' | 'askPassword' | 'settings' | 'progress' | 'signal'
>

export async function openReadable(invocation: FilesInvocation): Promise<ReadableRepository> {
  await using owned = new AsyncDisposableStack()
  const repository = owned.use(await openIndexed(invocation))
  const points = await listPoints(repository.repository)
  noticeDamagedPoints(points.damaged, invocation.progress)
  const moved = owned.move()
  return {
    repository,
    points,
    imageOf: pointImages(repository),
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  }
}

/** Throws POINT_MISSING, OBJECT_MISSING, FILE_SYSTEM_UNMAPPED, FILE_SYSTEM_DAMAGED. */
export async function openPointFiles(
  readable: ReadableRepository,
  invocation: FilesInvocation,
  which: { readonly point: string; readonly object: string | undefined },
): Promise<PointFiles> {
  const stored = selectSoundPoint(readable.points, which.point)
  const object = selectObject(stored, which.object)
  const source = await named({ stored, object }, () =>
    openFileSystem(readable.imageOf(object), invocation.signal),
  )
  const { allocation, findings } = source.fileSystem
  const name = `${object.name} of point ${shortId(stored.id)}`
  if (!allocation.proven) invocation.progress({ event: 'notice', message: `${name}: ${allocation.reason}` })
  for (const { structure, offsetBytes, found } of findings.slice(0, NOTICES_MAX)) {
    invocation.progress({
      event: 'notice',
      message: `${name}: ${structure} at byte ${offsetBytes}: ${found}`,
    })
  }
  return { stored, object, source }
}

/** More say no more. */
const NOTICES_MAX = 5

/** Says of which volume it is what a reader of file systems found. */
export async function named<T>(
  of: { readonly stored: StoredPoint; readonly object: PointObject; readonly path?: string },
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    const path = of.path === undefined ? '' : `"${of.path}" of `
    const what = `${path}${of.object.name} of point ${shortId(of.stored.id)}`
    const options = { cause, data: { pointId: of.stored.id, object: of.object.name } }
    if (cause instanceof UnmappedError) {
      throw new BackupError(
        ErrorCode.FileSystemUnmapped,
        `Cannot read files of ${what}: ${cause.message}`,
        options,
      )
    }
    if (!(cause instanceof FormatError)) throw cause
    const code = of.path === undefined ? ErrorCode.FileSystemDamaged : ErrorCode.FileDamaged
    throw new BackupError(code, `Cannot read files of ${what}: ${cause.message}`, options)
  }
}
