import { buildFileSet, type BuiltFileSet } from '../capture/file-set/build-file-set.ts'
import { BackupError, ErrorCode, isBackupError } from '../domain/backup-error.ts'
import { DegradedCode, type Degraded } from '../domain/ledger.ts'
import type { StoredPoint } from '../domain/recovery-point.ts'
import { readFileSetIndex, type FileSetIndex } from '../formats/file-set/read-index.ts'
import { FormatError, UnmappedError } from '../formats/format-error.ts'
import type { FileSystemVolume } from '../formats/volume-stack/file-system-volumes.ts'
import { openVolumeStack } from '../formats/volume-stack/open-volume-stack.ts'
import { selectFileSystem } from '../formats/volume-stack/select-file-system.ts'
import { volumeLayer } from '../formats/volume-stack/volume-layer.ts'
import type { VolumeStack } from '../formats/volume-stack/volume.ts'
import type { SourceAddress } from '../lane/lane-messages.ts'
import { openScratchFile, type ScratchFile } from '../linux/scratch-file.ts'
import type { BackupSource } from '../mover/backup-source.ts'
import { challengeAll, isFrozen } from './freeze/frozen-source.ts'
import { placeFileSet } from './freeze/file-set-places.ts'
import type { MapParts } from './map-sources.ts'
import type { NamedSource, OpenSources } from './open-backup-sources.ts'
import type { PlannedSources } from './planned-sources.ts'
import { pointImages } from './point-images.ts'
import type { VolumePath } from './volume-path.ts'

/** The chosen files of each file system that some were chosen of, as an image of their own. */
export async function planFileSets(
  parts: MapParts,
  opened: OpenSources,
  chosen: { readonly paths: readonly VolumePath[]; readonly base: StoredPoint | null },
): Promise<PlannedSources> {
  const { sources } = opened
  requireStill(sources, chosen.paths)
  parts.progress({ event: 'phase', phase: 'Mapping', totalBytes: null })
  const before = await fingerprintOf(sources)
  const images = sources.map(({ name, local }) => ({ name, image: local.image() }))
  const stack = await openVolumeStack(images, parts.signal)
  await using stackOfScratch = new AsyncDisposableStack()
  const planned: { source: BackupSource; address: SourceAddress; degraded: readonly Degraded[] }[] = []
  for (const { on, paths } of byVolume(stack, chosen.paths, sources)) {
    const scratch = stackOfScratch.use(await openScratchFile())
    planned.push(await planFileSet(parts, { on, paths, sources, scratch, base: chosen.base }))
  }
  if ((await fingerprintOf(sources)) !== before) throw sourceChanged(sources)
  const held = stackOfScratch.move()
  return {
    sources: planned.map(({ source }) => source),
    addresses: planned.map(({ address }) => address),
    degraded: [...opened.degraded, ...planned.flatMap(({ degraded }) => degraded)],
    leftOut: new Map(),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}

type FileSetPlan = {
  readonly on: FileSystemVolume
  readonly paths: readonly VolumePath[]
  readonly sources: readonly NamedSource[]
  readonly scratch: ScratchFile
  readonly base: StoredPoint | null
}

async function planFileSet(
  parts: MapParts,
  plan: FileSetPlan,
): Promise<{ source: BackupSource; address: SourceAddress; degraded: readonly Degraded[] }> {
  const { on, paths, sources, scratch, base } = plan
  const { volume, fileSystem } = on
  const { format, label, uuid } = fileSystem
  const { signal, progress } = parts
  const sourceName = sources.map(({ name }) => name).join('+')
  const name = volume.name === '' ? sourceName : volume.name
  const where = volume.name === '' ? sourceName : `${volume.name} of ${sourceName}`
  progress({ event: 'phase', phase: `Listing files of ${where}`, totalBytes: null })
  const { chunkSizeBytes } = parts.repository.repository.config
  const built = await buildFileSet({
    source: {
      fileSystem,
      volumeSizeBytes: volume.image.sizeBytes,
      layer: volumeLayer(volume),
      scratch,
      scratchDevice: sources.length,
    },
    paths: paths.map(({ names }) => names),
    origin: { format, label, uuid, volume: volume.name, paths: paths.map(({ text }) => text) },
    chunkSizeBytes,
    before: base === null ? null : await indexBefore(parts, { base, name, chunkSizeBytes }),
    where,
    signal,
  })
  await scratch.flush()
  const { path, fd } = scratch
  const { sizeBytes } = built
  const { address, ...moving } = await placeFileSet(
    { map: () => built.extents.map(sizeBytes), sizeBytes },
    {
      sources: sources.map(({ local }) => local),
      scratch: { path, fd, sizeBytes: scratch.sizeBytes, direct: false },
    },
    signal,
  )
  return {
    source: { ...sourceOf(plan, { name, built }), ...moving },
    address,
    degraded: degradedOf(on, built, where),
  }
}

function sourceOf(
  { on, sources }: FileSetPlan,
  { name, built }: { readonly name: string; readonly built: BuiltFileSet },
): BackupSource {
  const [first] = sources
  const { allocation, format } = on.fileSystem
  const reason = allocation.proven ? null : allocation.reason
  return {
    name,
    kind: 'files',
    path: sources.map(({ local }) => local.path).join('+'),
    type: first?.local.type ?? 'file',
    identity: first?.local.identity ?? null,
    sizeBytes: built.sizeBytes,
    dataRanges: async function* dataRanges(range) {
      yield* await Promise.resolve(built.extents.dataRanges(range))
    },
    fingerprint: () => fingerprintOf(sources),
    changes: null,
    baseData: null,
    ...(first !== undefined && isFrozen(first.local) ? { image: first.local.frozen.record } : {}),
    ...challengeOf(sources),
    freeBytes: null,
    volumes: [{ name: on.volume.name, format, reason }],
  }
}

/** A file is where its source is: what is asked of that holds for all of its files. */
function challengeOf(sources: readonly NamedSource[]): Pick<BackupSource, 'challenge'> {
  const parts = sources.flatMap(({ local }) => (isFrozen(local) ? [local.frozen] : []))
  if (parts.every(({ challenge }) => challenge === undefined)) return {}
  return { challenge: (signal) => challengeAll(parts, signal) }
}

function degradedOf({ fileSystem }: FileSystemVolume, built: BuiltFileSet, where: string): Degraded[] {
  const degraded: Degraded[] = []
  if (!fileSystem.allocation.proven) {
    const message = `The files were taken from ${fileSystem.format} of ${where} as it is: ${fileSystem.allocation.reason}`
    degraded.push({ code: DegradedCode.FileSystemUnclean, message })
  }
  if (built.unreadable.count > 0) {
    const message = `Of ${where}, ${built.unreadable.describe()}`
    degraded.push({ code: DegradedCode.FilesUnreadable, message })
  }
  return degraded
}

/** How the base laid the same file set out; null where it has none, or one that cannot be read: then it is laid out anew. */
async function indexBefore(
  parts: MapParts,
  of: { readonly base: StoredPoint; readonly name: string; readonly chunkSizeBytes: number },
): Promise<FileSetIndex | null> {
  const object = of.base.point.objects.find(({ name, kind }) => name === of.name && kind === 'files')
  if (object === undefined) return null
  try {
    const index = await readFileSetIndex(pointImages(parts.repository)(object))
    return index.header.chunkSizeBytes === of.chunkSizeBytes ? index : null
  } catch (error) {
    const isUnreadable =
      error instanceof FormatError ||
      error instanceof UnmappedError ||
      isBackupError(error, ErrorCode.ChunkMissing, ErrorCode.ChunkDamaged, ErrorCode.RepositoryDamaged)
    if (isUnreadable) return null
    throw error
  }
}

/** The paths of each file system. Throws VOLUME_MISSING with the names of those there are, SOURCE_UNSUITABLE for none. */
function byVolume(
  stack: VolumeStack,
  paths: readonly VolumePath[],
  sources: readonly NamedSource[],
): readonly { readonly on: FileSystemVolume; readonly paths: readonly VolumePath[] }[] {
  const groups = new Map<string, { readonly on: FileSystemVolume; readonly paths: VolumePath[] }>()
  for (const path of paths) {
    const on = selected(stack, path, sources)
    const group = groups.get(on.volume.name)
    if (group === undefined) groups.set(on.volume.name, { on, paths: [path] })
    else group.paths.push(path)
  }
  return [...groups.values()]
}

function selected(stack: VolumeStack, path: VolumePath, sources: readonly NamedSource[]): FileSystemVolume {
  try {
    return selectFileSystem(stack, path.volume)
  } catch (cause) {
    if (!(cause instanceof UnmappedError)) throw cause
    const hasSome = stack.volumes.some(({ content }) => content.kind === 'file-system')
    const code = hasSome ? ErrorCode.VolumeMissing : ErrorCode.SourceUnsuitable
    const where = sources.map(({ local }) => local.path).join('", "')
    const message = `Cannot back up "${path.text}" of "${where}": ${cause.message}`
    throw new BackupError(code, message, { cause, data: { chosenPath: path.text } })
  }
}

/** Where files lie means nothing while somebody moves them. */
function requireStill(sources: readonly NamedSource[], [path]: readonly VolumePath[]): void {
  const busy = sources.find(({ isMountedForWriting }) => isMountedForWriting)?.local
  if (busy === undefined) return
  const message = `Cannot take files out of "${busy.path}": it is mounted for writing, required is an image that stands still, such as a snapshot of it`
  throw new BackupError(ErrorCode.SourceInUse, message, { data: { path: busy.path, chosenPath: path?.text } })
}

async function fingerprintOf(sources: readonly NamedSource[]): Promise<string> {
  const prints: string[] = []
  for (const { local } of sources) prints.push(await local.fingerprint())
  return prints.join(' ')
}

function sourceChanged(sources: readonly NamedSource[]): BackupError {
  const path = sources.map(({ local }) => local.path).join('", "')
  const message = `Cannot back up files of "${path}": it was written to while it was read, a backup needs an image that is frozen`
  return new BackupError(ErrorCode.SourceChanged, message, { data: { path } })
}
