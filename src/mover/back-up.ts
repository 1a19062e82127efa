import { ErrorCode, isBackupError } from '../domain/backup-error.ts'
import type { BackupError } from '../domain/backup-error.ts'
import type { Clock } from '../domain/clock.ts'
import { DegradedCode, type Degraded, type FreezeRecord, type PaceRecord } from '../domain/ledger.ts'
import type { ProgressListener } from '../domain/progress.ts'
import type { Randomness } from '../domain/randomness.ts'
import type { RecoveryPoint, StoredPoint } from '../domain/recovery-point.ts'
import type { RunMode, Transport } from '../domain/run-mode.ts'
import type { ChunkLocation } from '../repository/chunk-location.ts'
import { condemnPacks } from '../repository/condemned.ts'
import { IndexWriter } from '../repository/index-writer.ts'
import { KnownChunks } from '../repository/known-chunks.ts'
import type { IndexDamage } from '../repository/load-index.ts'
import type { IndexSegment, PackContents } from '../repository/index-segment.ts'
import type { NodeReader } from '../repository/node-reader.ts'
import { writePoint } from '../repository/points.ts'
import type { Repository } from '../repository/repository.ts'
import { PLACES } from '../repository/tree-node.ts'
import { removeWriter } from '../repository/writers.ts'
import { backUpObject, type BackedUpObject, type BackUpOptions } from './back-up-object.ts'
import type { BackupSource } from './backup-source.ts'
import { NodePacks } from './node-packs.ts'
import type { SealLanes, StoredPack } from './seal-lanes.ts'

/** The repository's index, as a backup needs it. */
export type BackupIndex = {
  locate(id: Uint8Array): ChunkLocation | null
  isReusable(location: ChunkLocation): boolean
  readonly hasCondemned: boolean
  /** Packs that no segment names; this run's index will. */
  readonly unindexed: readonly PackContents[]
  readonly damagedSegments: readonly IndexDamage[]
  /** Takes in a segment that this run stored. Never throws: the local index is made anew from the repository. */
  adopt(id: string, segment: IndexSegment): void
}

export type BackUpRequest = {
  readonly lineage: string
  readonly tags: readonly string[]
  readonly sources: readonly BackupSource[]
  readonly base: StoredPoint | null
  readonly mode: RunMode
  readonly transport: Transport
  /** What was asked for, where that was something else. */
  readonly requestedTransport?: Transport
  /** What held the run back, as far as it has come; absent where nothing does. */
  readonly pace?: () => PaceRecord
  readonly options: BackUpOptions
  /** Found before the run began, such as a source that is mounted. */
  readonly degraded: readonly Degraded[]
  readonly freeze: FreezeRecord | null
}

export type BackUpParts = {
  readonly repository: Repository
  readonly index: BackupIndex
  readonly reader: NodeReader
  readonly writerId: string
  readonly openLanes: (known: SharedArrayBuffer, onPack: (pack: StoredPack) => void) => SealLanes
  readonly about: { readonly host: string; readonly icecoreVersion: string }
  readonly clock: Clock
  readonly randomness: Randomness
  readonly progress: ProgressListener
  readonly signal: AbortSignal
}

/**
 * Makes a recovery point of the sources. The order is that of durability: packs, then index, then point, and
 * last the writer's record goes away. When it throws, or when the process dies, there is no point, and what was
 * stored is found by the next run.
 */
export async function backUp(parts: BackUpParts, request: BackUpRequest): Promise<StoredPoint> {
  const { repository, clock, randomness } = parts
  const startedAt = clock.now()
  const randomSalt = (): Uint8Array => randomness.bytes(32)
  const index = new IndexWriter({
    store: repository.store,
    sealing: repository.sealing,
    randomSalt,
    onSegment: (id, segment) => parts.index.adopt(id, segment),
  })
  const output = new RunOutput(index)
  const known = KnownChunks.allocate(chunkCountMax(request.sources, repository.config.chunkSizeBytes))
  await using lanes = parts.openLanes(known, (pack) => output.announce(pack))
  const nodes = nodePacks(parts, { known, output, randomSalt })
  try {
    for (const contents of parts.index.unindexed) await index.add(contents)
    const objects = await backUpAll({ ...parts, lanes, nodes }, request)
    await lanes.drain()
    await nodes.flush()
    await output.settle()
    const point = pointOf(parts, request, { objects, startedAt, storedBytes: output.storedBytes })
    const id = await writePoint(repository, { point, salt: randomSalt() })
    await removeWriter(repository.store, parts.writerId)
    return { id, point }
  } catch (error) {
    await keepWhatWasStored({ parts, lanes, output, cause: error })
    throw error
  }
}

/** Room for every chunk and node that the run can store. */
function chunkCountMax(sources: readonly BackupSource[], chunkSizeBytes: number): number {
  // A change list that is refuted is followed by a comparison, whose nodes come on top.
  return chunkCountOf(sources, chunkSizeBytes) + 2 * nodeCountMax(sources, chunkSizeBytes)
}

function nodeCountMax(sources: readonly BackupSource[], chunkSizeBytes: number): number {
  return Math.ceil((chunkCountOf(sources, chunkSizeBytes) / PLACES) * 2) + 16 * sources.length
}

function chunkCountOf(sources: readonly BackupSource[], chunkSizeBytes: number): number {
  return sources.reduce((sum, source) => sum + Math.ceil(source.sizeBytes / chunkSizeBytes), 0)
}

function nodePacks(
  parts: BackUpParts,
  run: { known: SharedArrayBuffer; output: RunOutput; randomSalt: () => Uint8Array },
): NodePacks {
  const { repository, index } = parts
  const has = (id: Uint8Array): boolean => {
    const location = index.locate(id)
    return location !== null && index.isReusable(location)
  }
  return new NodePacks({
    store: repository.store,
    sealing: repository.sealing,
    codec: repository.codec,
    known: new KnownChunks(run.known),
    has,
    onPack: async (pack) => {
      run.output.announce(pack)
      await run.output.settled
    },
    randomSalt: run.randomSalt,
  })
}

async function backUpAll(
  parts: BackUpParts & { readonly lanes: SealLanes; readonly nodes: NodePacks },
  request: BackUpRequest,
): Promise<BackedUpObject[]> {
  const { chunkSizeBytes } = parts.repository.config
  const objects: BackedUpObject[] = []
  for (const [number, source] of request.sources.entries()) {
    const base =
      request.base?.point.objects.find(
        (object) => object.name === source.name && object.kind === source.kind,
      ) ?? null
    const task = { number, source, base, requestedMode: modeOf(request, source) }
    const giveUpBase = (cause: BackupError): Promise<void> => distrustNodes(parts, { request, cause })
    const { hasCondemned } = parts.index
    const shared = { ...parts, chunkSizeBytes, hasCondemned, options: request.options, giveUpBase }
    objects.push(await backUpObject(shared, task))
  }
  return objects
}

/** Of several sources, those of which nobody says what changed are compared: no list is not an empty list. */
function modeOf({ mode, base }: BackUpRequest, { changes }: BackupSource): RunMode {
  if (mode !== 'incremental' || changes !== null) return mode
  return base === null ? 'full' : 'compared'
}

/** Fences the damaged pack off, for this run and for all readers, and has every node stored again. */
async function distrustNodes(
  parts: BackUpParts & { readonly nodes: NodePacks },
  found: { readonly request: BackUpRequest; readonly cause: BackupError },
): Promise<void> {
  const { store, sealing, config } = parts.repository
  const { packId } = found.cause.data
  if (typeof packId === 'string') {
    await condemnPacks(store, sealing, { packIds: [packId], salt: parts.randomness.bytes(32) })
  }
  const count = nodeCountMax(found.request.sources, config.chunkSizeBytes)
  parts.nodes.distrustRepository(new KnownChunks(KnownChunks.allocate(count)))
}

/** Packs that are in the store wait here for their index; failures wait for whoever settles. */
class RunOutput {
  readonly #index: IndexWriter
  #queue: Promise<void> = Promise.resolve()
  #failure: { readonly error: unknown } | null = null
  #packBytes = 0

  constructor(index: IndexWriter) {
    this.#index = index
  }

  get storedBytes(): number {
    return this.#packBytes + this.#index.storedBytes
  }

  /** Resolves when what was announced so far is with the index writer; never rejects. */
  get settled(): Promise<void> {
    return this.#queue
  }

  announce(pack: StoredPack): void {
    this.#packBytes += pack.sizeBytes
    this.#queue = this.#queue
      .then(() => this.#index.add(pack))
      .catch((error: unknown) => {
        this.#failure ??= { error }
      })
  }

  /** Writes the rest of the index; throws what any part of it failed with. */
  async settle(): Promise<void> {
    await this.#queue
    if (this.#failure !== null) throw this.#failure.error
    await this.#index.flush()
  }
}

/**
 * After a failure or a cancellation: finished packs get their index, so that the next run reuses them, and the
 * writer signs off. If that fails too, the record stays, and the next run finds the packs through it.
 */
async function keepWhatWasStored(run: {
  parts: BackUpParts
  lanes: SealLanes
  output: RunOutput
  cause: unknown
}): Promise<void> {
  try {
    await run.lanes.drain()
    await run.output.settle()
    if (mayHaveStoredUnseen(run.cause)) return
    await removeWriter(run.parts.repository.store, run.parts.writerId)
    await run.parts.repository.store.flush()
  } catch {
    // The first failure is the one to report; packs without an index are found by their own directories.
  }
}

/** A store that reports a failure may have kept the object all the same: then only the record says whose it is. */
function mayHaveStoredUnseen(cause: unknown): boolean {
  return isBackupError(cause, ErrorCode.StoreFailed, ErrorCode.StoreFull, ErrorCode.StoreReadOnly)
}

function pointOf(
  parts: BackUpParts,
  request: BackUpRequest,
  run: { objects: readonly BackedUpObject[]; startedAt: Date; storedBytes: number },
): RecoveryPoint {
  const createdAt = parts.clock.now()
  const degraded = [
    ...request.degraded,
    ...indexDegraded(parts.index),
    ...run.objects.flatMap((one) => one.degraded),
  ]
  return {
    lineage: request.lineage,
    createdAt: createdAt.toISOString(),
    tags: request.tags,
    objects: run.objects.map((one) => one.object),
    ledger: {
      startedAt: run.startedAt.toISOString(),
      durationMs: Math.max(0, createdAt.getTime() - run.startedAt.getTime()),
      ...parts.about,
      basePointId: request.base?.id ?? null,
      requested: { mode: request.mode, transport: request.requestedTransport ?? request.transport },
      done: { mode: doneMode(run.objects), transport: request.transport },
      degraded,
      storedBytes: run.storedBytes,
      freeze: request.freeze,
      ...(request.pace === undefined ? {} : { pace: request.pace() }),
    },
  }
}

function indexDegraded(index: BackupIndex): Degraded[] {
  if (index.damagedSegments.length === 0) return []
  const message = `${index.damagedSegments.length} index segments are damaged; their packs were read instead, run \`icecore check\``
  return [{ code: DegradedCode.IndexRebuilt, message }]
}

/** The slowest mode that any object needed. */
function doneMode(objects: readonly BackedUpObject[]): RunMode {
  const modes = objects.map((one) => one.object.ledger.doneMode)
  if (modes.includes('full')) return 'full'
  return modes.includes('compared') ? 'compared' : 'incremental'
}
