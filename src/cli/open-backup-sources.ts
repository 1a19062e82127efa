import type { ProvenFree } from '../capture/proven-free.ts'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import { DegradedCode, type Degraded } from '../domain/ledger.ts'
import type { Transport } from '../domain/run-mode.ts'
import { inOrder } from '../extents/in-order.ts'
import { subtractRanges } from '../extents/subtract-ranges.ts'
import { deviceUse } from '../linux/device-use.ts'
import type { BackupSource, RangeStream } from '../mover/backup-source.ts'
import {
  challengeAll,
  identifyFrozen,
  isFrozen,
  type FrozenPart,
  type FrozenSources,
} from './freeze/frozen-source.ts'
import { openSource, type OpenedSource, type SourceOptions } from './open-source.ts'
import { sourceName } from './source-name.ts'

/** A source, and its name in the point. */
export type NamedSource = {
  readonly name: string
  readonly local: OpenedSource
  /** The user insists on it all the same. */
  readonly isMountedForWriting: boolean
}

/** The images that a backup reads, held open until it is done. */
export type OpenSources = AsyncDisposable & {
  readonly sources: readonly NamedSource[]
  readonly degraded: readonly Degraded[]
  readonly transport: { readonly requested: Transport; readonly done: Transport }
  /** The lanes that may read them at once; null: any number. */
  readonly lanesMax: number | null
  /** Aborted, with the reason, when the frozen images had to be given up. */
  readonly lost: AbortSignal
  /** Keeps the frozen images for the next run of the lineage. */
  keep(pointId: string, signal: AbortSignal): Promise<void>
  /** Lets go of what the lanes need for themselves: what is left to ask for are the ranges of data. */
  handOver(): Promise<void>
}

/** Throws what is wrong with a source; one that is mounted for writing needs `allowMounted`. */
export async function openBackupSources(
  paths: readonly string[],
  options: SourceOptions & {
    readonly allowMounted: boolean
    /** Those of the sources that icecore froze; their images are held as long as the sources are. */
    readonly frozen: FrozenSources | null
  },
): Promise<OpenSources> {
  await using stack = new AsyncDisposableStack()
  const opened: Omit<NamedSource, 'name'>[] = []
  const { frozen } = options
  if (frozen !== null) stack.use(frozen)
  const degraded: Degraded[] = [...(frozen?.degraded ?? [])]
  for (const path of paths) {
    const local = stack.use(frozen?.sources.get(path) ?? (await openSource(path, options)))
    requireDistinct(opened, local)
    if (isFrozen(local)) {
      opened.push({ local, isMountedForWriting: false })
      continue
    }
    const mountedReadWrite = 'uri' in local.address ? [] : (await deviceUse(local.realPath)).mountedReadWrite
    const isMountedForWriting = mountedReadWrite.length > 0
    opened.push({ local, isMountedForWriting })
    if (!isMountedForWriting) continue
    if (!options.allowMounted) throw sourceInUse(path, mountedReadWrite)
    degraded.push({ code: DegradedCode.SourceInUse, message: inUseMessage(path, mountedReadWrite) })
  }
  const locals = opened.map(({ local }) => local)
  const held = stack.move()
  return {
    sources: opened.map((source) => ({ ...source, name: sourceName(source.local, locals) })),
    degraded,
    transport: frozen?.transport ?? transportOf(locals),
    lanesMax: opened.reduce<number | null>((least, { local }) => lesser(least, local.lanesMax), null),
    lost: frozen?.lost ?? new AbortController().signal,
    async keep(pointId, signal) {
      await frozen?.keep(pointId, signal)
    },
    async handOver() {
      await Promise.all(opened.map(({ local }) => local.handOver()))
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}

function transportOf(sources: readonly OpenedSource[]): OpenSources['transport'] {
  const transport = sources.some(({ address }) => 'uri' in address) ? 'nbd' : 'local'
  return { requested: transport, done: transport }
}

function lesser(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b)
}

/** What is known of a source beyond what it is. */
export type SourceMap = {
  /** What changed since the base, as somebody says; null when nobody says. */
  readonly changes: RangeStream | null
  /** Null: everything is read. */
  readonly free: ProvenFree | null
  readonly baseData: RangeStream | null
}

/** A source as the mover wants it. */
export function backupSource(source: NamedSource, map: SourceMap, allowMounted: boolean): BackupSource {
  const { local, name } = source
  const { path, type, identity, sizeBytes } = local
  const { changes, free, baseData } = map
  return {
    name,
    kind: 'volume',
    path,
    type,
    identity,
    sizeBytes,
    dataRanges: (range, signal) => {
      const data = local.dataRanges(range, signal)
      return free === null || free.ranges.length === 0 ? data : subtractRanges(data, [free.ranges])
    },
    // Somebody who insists on a source that is in use knows that it changes.
    fingerprint: async () => (allowMounted ? '' : await local.fingerprint()),
    changes,
    baseData,
    ...(free === null ? {} : { freeRanges: () => inOrder([free.ranges]) }),
    ...(isFrozen(local) ? frozenPart(local.frozen) : {}),
    freeBytes: free?.bytes ?? null,
    volumes: free?.volumes ?? [],
  }
}

function frozenPart(frozen: FrozenPart): Pick<BackupSource, 'identify' | 'image' | 'challenge'> {
  return {
    identify: (signal) => identifyFrozen(frozen, signal),
    image: frozen.record,
    ...(frozen.challenge === undefined ? {} : { challenge: (signal) => challengeAll([frozen], signal) }),
  }
}

function requireDistinct(opened: readonly { readonly local: OpenedSource }[], source: OpenedSource): void {
  const twin = opened.find(({ local }) => local.realPath === source.realPath)?.local
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
