import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import type { FrozenImage } from '../domain/frozen-image.ts'
import type { PointObject, StoredPoint } from '../domain/recovery-point.ts'
import { FormatError, UnmappedError } from '../formats/format-error.ts'
import { openVolumeStack } from '../formats/volume-stack/open-volume-stack.ts'
import type { Volume, VolumeStack } from '../formats/volume-stack/volume.ts'
import { listPoints, type Points } from '../repository/points.ts'
import { selectObject } from '../repository/select-object.ts'
import { selectSoundPoint } from '../repository/select-point.ts'
import type { FileSource } from '../restore/file-pieces.ts'
import { selectVolume } from '../restore/select-volume.ts'
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

/** What lies on the objects of a point. */
export type OpenPoint = {
  readonly stored: StoredPoint
  /** The images that were looked into: a volume group may lie on several. */
  readonly objects: readonly PointObject[]
  readonly images: readonly FrozenImage[]
  readonly stack: VolumeStack
  /** For sentences: `disk.img of point 1db92996fc9d`. */
  readonly where: string
}

/** A file system in a point. */
export type PointFiles = OpenPoint & {
  readonly volume: Volume
  readonly source: FileSource
  /** For sentences: `disk.img p1 of point 1db92996fc9d`. */
  readonly description: string
}

export type WhichPoint = { readonly point: string; readonly object: string | undefined }
/** Null: the only volume with a file system. */
export type WhichFiles = WhichPoint & { readonly volume: string | null }

type FilesInvocation = Pick<
  Invocation,
  'requireRepository' | 'askPassword' | 'settings' | 'progress' | 'signal'
>

/** More say no more. */
const NOTICES_MAX = 5

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

/** Throws POINT_MISSING, OBJECT_MISSING. */
export async function openPoint(
  readable: ReadableRepository,
  { signal }: FilesInvocation,
  which: WhichPoint,
): Promise<OpenPoint> {
  const stored = selectSoundPoint(readable.points, which.point)
  const objects = which.object === undefined ? stored.point.objects : [selectObject(stored, which.object)]
  const images = objects.map((object) => ({ name: object.name, image: readable.imageOf(object) }))
  const point = `point ${shortId(stored.id)}`
  const stack = await named({ description: point }, () => openVolumeStack(images, signal))
  const [only, ...others] = objects
  const where = only !== undefined && others.length === 0 ? `${only.name} of ${point}` : point
  return { stored, objects, images: images.map(({ image }) => image), stack, where }
}

/** Throws VOLUME_MISSING, FILE_SYSTEM_UNMAPPED. */
export function volumeFiles(
  open: OpenPoint,
  { progress }: FilesInvocation,
  volumeName: string | null,
): PointFiles {
  const { stored, objects, images, stack, where } = open
  const { volume, fileSystem } = selectVolume(stack, volumeName, where)
  const [only, ...others] = objects
  const isOne = only !== undefined && others.length === 0
  const names = [...(isOne ? [only.name] : []), ...(volume.name === '' ? [] : [volume.name])]
  const description = `${names.join(' ')} of point ${shortId(stored.id)}`
  const notices = [
    ...(fileSystem.allocation.proven ? [] : [fileSystem.allocation.reason]),
    ...[...stack.findings, ...fileSystem.findings]
      .slice(0, NOTICES_MAX)
      .map(({ structure, offsetBytes, found }) => `${structure} at byte ${offsetBytes}: ${found}`),
  ]
  for (const notice of notices) progress({ event: 'notice', message: `${description}: ${notice}` })
  // The image itself, where there is nothing between: what a stack keeps of it is for metadata.
  const direct = volume.origin.kind === 'image' ? images[volume.origin.index] : undefined
  const source = { fileSystem, image: direct ?? volume.image }
  return { ...open, volume, source, description }
}

/** Throws POINT_MISSING, OBJECT_MISSING, VOLUME_MISSING, FILE_SYSTEM_UNMAPPED. */
export async function openPointFiles(
  readable: ReadableRepository,
  invocation: FilesInvocation,
  which: WhichFiles,
): Promise<PointFiles> {
  return volumeFiles(await openPoint(readable, invocation, which), invocation, which.volume)
}

/** Says of which file it is what a reader of file systems found. */
export async function named<T>(
  of: { readonly description: string; readonly path?: string },
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (!(cause instanceof FormatError || cause instanceof UnmappedError)) throw cause
    const path = of.path === undefined ? 'files' : `"${of.path}"`
    const code = cause instanceof FormatError ? ErrorCode.FileDamaged : ErrorCode.FileSystemUnmapped
    const message = `Cannot read ${path} of ${of.description}: ${cause.message}`
    throw new BackupError(code, message, { cause, data: { path: of.path ?? null } })
  }
}
