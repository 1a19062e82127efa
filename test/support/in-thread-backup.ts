import { systemClock } from '../../src/domain/clock.ts'
import type { Degraded } from '../../src/domain/ledger.ts'
import type { StoredPoint } from '../../src/domain/recovery-point.ts'
import type { RunMode } from '../../src/domain/run-mode.ts'
import { SealLane, type LaneSource } from '../../src/lane/seal-lane.ts'
import { backUp, type BackUpParts } from '../../src/mover/back-up.ts'
import type { MovedExtents } from '../../src/mover/backup-source.ts'
import type { SealLanes } from '../../src/mover/seal-lanes.ts'
import type { RepositoryConfig } from '../../src/repository/config.ts'
import { deriveRepositoryKeys } from '../../src/repository/keys.ts'
import { KnownChunks } from '../../src/repository/known-chunks.ts'
import { loadIndex, type LoadedIndex } from '../../src/repository/load-index.ts'
import { cachedNodes } from '../../src/repository/node-cache.ts'
import { nodeReader } from '../../src/repository/node-reader.ts'
import { repositoryOf, type Repository } from '../../src/repository/repository.ts'
import type { Store } from '../../src/repository/store.ts'
import { putWriter } from '../../src/repository/writers.ts'
import { LocalIndex, LocalIndexLocator } from '../../src/stores/local-index/local-index.ts'
import { memorySource, type MemoryImage } from './memory-image.ts'
import { readImage } from './read-image.ts'
import { seededRandomness } from './seeded-randomness.ts'
import { temporaryFolder } from './temporary-folder.ts'

/** Smaller than a user may choose, so that a few hundred KiB make trees and packs worth testing. */
export const TEST_CHUNK_SIZE = 1024
const TEST_PACK_SIZE = 32 * 1024
/** 2026-01-02 03:04:05 UTC. */
const START_MS = 1_767_323_045_000

const config: RepositoryConfig = {
  format: 'icecore repository',
  version: 1,
  id: '00112233445566778899aabbccddeeff',
  createdAt: '2026-01-02T03:04:05.000Z',
  chunkSizeBytes: TEST_CHUNK_SIZE,
  packSizeBytes: TEST_PACK_SIZE,
  compression: { algorithm: 'zstd', level: 1 },
  encryption: 'aes-256-gcm',
  keySlots: [],
}

/** A repository in `store` as if it had been opened with its password. */
export function testRepository(store: Store, changes: Partial<RepositoryConfig> = {}): Repository {
  const keys = changes.encryption === 'none' ? null : deriveRepositoryKeys(new Uint8Array(32).fill(7))
  return repositoryOf({ store, config: { ...config, ...changes }, keys })
}

export type InThreadRequest = {
  readonly image: MemoryImage
  readonly base?: StoredPoint | null
  readonly mode?: RunMode
  readonly witnessCount?: number
  readonly rotationRuns?: number
  /** Every run needs its own: salts, names of writers and witnesses follow from it. */
  readonly seed: number
  readonly signal?: AbortSignal
  readonly degraded?: readonly Degraded[]
  /** The image lies where `map` says, and its extents move; `image` is what it holds all the same. */
  readonly moving?: MovingExtents
}

export type MovingExtents = {
  readonly map: Uint8Array
  readonly laneOf: (map: Uint8Array) => LaneSource
  readonly identify: () => Promise<MovedExtents | null>
}

/** The index of a repository as a run sees it. */
export type OpenIndex = Disposable & {
  readonly loaded: LoadedIndex<LocalIndex>
  readonly locator: LocalIndexLocator
}

export async function openIndex(repository: Repository): Promise<OpenIndex> {
  const folder = temporaryFolder()
  const { store, sealing, packs } = repository
  try {
    const openLocal = (segments: ReadonlySet<string>): LocalIndex => LocalIndex.open(folder.path, segments)
    const loaded = await loadIndex({ store, sealing, packs, openLocal })
    const locator = new LocalIndexLocator(loaded.local.handle([...loaded.condemned]))
    return {
      loaded,
      locator,
      [Symbol.dispose]() {
        loaded.local[Symbol.dispose]()
        folder[Symbol.dispose]()
      },
    }
  } catch (error) {
    folder[Symbol.dispose]()
    throw error
  }
}

/** Backs an image up with everything that a command uses but its threads: one lane, in this thread. */
export async function backUpInThread(repository: Repository, request: InThreadRequest): Promise<StoredPoint> {
  const randomness = seededRandomness(request.seed)
  const writerId = randomness.bytes(8).toHex()
  const inMemory = memorySource(request.image)
  const { moving } = request
  const source = moving === undefined ? inMemory.source : { ...inMemory.source, identify: moving.identify }
  const lane = moving === undefined ? inMemory.lane : moving.laneOf(moving.map)
  const base = request.base ?? null
  using index = await openIndex(repository)
  const { locator, loaded } = index
  const about = { host: 'test', icecoreVersion: '0.0.0' }
  const now = systemClock.now()
  now.setTime(START_MS + request.seed) // Points are in the order of their seeds.
  const clock = { now: () => now }
  const record = { id: writerId, host: 'test', bootId: '', pid: 1, pidStart: 1, startedAt: '' }
  await putWriter(repository.store, record)
  const parts: BackUpParts = {
    repository,
    index: {
      locate: (id) => locator.locate(id),
      isReusable: (location) => locator.isReusable(location),
      hasCondemned: locator.hasCondemned,
      unindexed: loaded.unindexed,
      damagedSegments: loaded.damagedSegments,
      adopt: (id, segment) => loaded.local.add(id, segment),
    },
    reader: cachedNodes(nodeReader(repository.packs, locator)),
    writerId,
    openLanes: (known, onPack) =>
      oneLane(
        new SealLane({
          store: repository.store,
          sealing: repository.sealing,
          codec: repository.codec,
          compress: true,
          chunkSizeBytes: repository.config.chunkSizeBytes,
          packSizeBytes: repository.config.packSizeBytes,
          known: new KnownChunks(known),
          index: locator,
          sources: [lane],
          allocate: (bytes) => new Uint8Array(bytes),
          randomSalt: () => randomness.bytes(32),
          onPack,
        }),
        request.moving?.laneOf ?? still,
      ),
    about,
    clock,
    randomness,
    progress: () => {},
    signal: request.signal ?? new AbortController().signal,
  }
  return await backUp(parts, {
    lineage: 'test',
    tags: [],
    sources: [source],
    base,
    mode: request.mode ?? usualMode(request),
    transport: 'local',
    options: { witnessCount: request.witnessCount ?? 16, rotationRuns: request.rotationRuns ?? 0 },
    degraded: request.degraded ?? [],
    freeze: null,
  })
}

/** What the point says its image is, read back through a freshly loaded index. */
export async function readBack(repository: Repository, stored: StoredPoint): Promise<Uint8Array> {
  using index = await openIndex(repository)
  const [object] = stored.point.objects
  if (object === undefined) throw new RangeError('the point has no object')
  return await readImage(repository, index.locator, object)
}

function usualMode(request: InThreadRequest): RunMode {
  if (request.image.changes !== undefined) return 'incremental'
  return request.base === undefined || request.base === null ? 'full' : 'compared'
}

function oneLane(lane: SealLane, laneOf: (map: Uint8Array) => LaneSource): SealLanes {
  return {
    count: 1,
    seal: (job) => lane.seal(job),
    remap: (source, map) => {
      lane.replaceSource(source, laneOf(map))
      return Promise.resolve()
    },
    drain: () => lane.drain(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

function still(): never {
  throw new RangeError('this image does not move')
}
