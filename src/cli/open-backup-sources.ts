import { basename } from 'node:path'
import type { ChangeList } from '../capture/change-list.ts'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import { DegradedCode, type Degraded } from '../domain/ledger.ts'
import { deviceUse } from '../linux/device-use.ts'
import { openLocalSource, type LocalSource } from '../linux/local-source.ts'
import type { BackupSource } from '../mover/backup-source.ts'

/** The images that a backup reads, held open until it is done. */
export type OpenSources = AsyncDisposable & {
  readonly opened: readonly LocalSource[]
  readonly degraded: readonly Degraded[]
  /** As the mover wants them; the list belongs to the only one. */
  images(changes: ChangeList | null): BackupSource[]
}

/** Throws what is wrong with a source; one that is mounted for writing needs `allowMounted`. */
export async function openBackupSources(
  paths: readonly string[],
  allowMounted: boolean,
): Promise<OpenSources> {
  await using stack = new AsyncDisposableStack()
  const opened: LocalSource[] = []
  const degraded: Degraded[] = []
  for (const path of paths) {
    const source = stack.use(await openLocalSource(path))
    requireDistinct(opened, source)
    opened.push(source)
    const { mountedReadWrite } = await deviceUse(source.realPath)
    if (mountedReadWrite.length === 0) continue
    if (!allowMounted) throw sourceInUse(path, mountedReadWrite)
    degraded.push({ code: DegradedCode.SourceInUse, message: inUseMessage(path, mountedReadWrite) })
  }
  const held = stack.move()
  return {
    opened,
    degraded,
    images: (changes) =>
      opened.map((source, index) => imageOf(source, { name: nameOf(opened, index), changes, allowMounted })),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}

function imageOf(
  source: LocalSource,
  about: { name: string; changes: ChangeList | null; allowMounted: boolean },
): BackupSource {
  const { path, type, identity, sizeBytes } = source
  const { changes } = about
  return {
    name: about.name,
    path,
    type,
    identity,
    sizeBytes,
    dataRanges: (range, signal) => source.dataRanges(range, signal),
    // Somebody who insists on a source that is in use knows that it changes.
    fingerprint: async () => (about.allowMounted ? '' : await source.fingerprint()),
    changes: changes === null ? null : () => changes.ranges(),
  }
}

/** The last part of the path where that tells the sources apart, else the path. */
function nameOf(opened: readonly LocalSource[], index: number): string {
  const names = opened.map((source) => basename(source.path))
  const name = names[index] ?? ''
  return names.filter((other) => other === name).length === 1 ? name : (opened[index]?.path ?? name)
}

function requireDistinct(opened: readonly LocalSource[], source: LocalSource): void {
  const twin = opened.find((other) => other.realPath === source.realPath)
  if (twin === undefined) return
  const message = `Cannot back up "${source.path}": it is the same as "${twin.path}", required are different sources`
  throw new BackupError(ErrorCode.UsageWrong, message)
}

function sourceInUse(path: string, mounted: readonly string[]): BackupError {
  const where = mounted.map((point) => `"${point}"`).join(', ')
  const message = `Cannot back up "${path}": it is mounted for writing at ${where}, required is an image that stands still, such as a snapshot of it`
  return new BackupError(ErrorCode.SourceInUse, message, { data: { path, mounted } })
}

function inUseMessage(path: string, mounted: readonly string[]): string {
  return `"${path}" was mounted for writing at ${mounted.join(', ')}: the point may mix states of several moments`
}
