import { randomBytes } from 'node:crypto'
import { workerData } from 'node:worker_threads'
import { allocateAligned } from '../linux/aligned-memory.ts'
import { emitEvent, serveCalls } from '../linux/thread-calls.ts'
import { KnownChunks } from '../repository/known-chunks.ts'
import { DirectoryStore } from '../stores/directory/directory-store.ts'
import { LocalIndexLocator } from '../stores/local-index/local-index.ts'
import { chooseCodec } from './choose-codec.ts'
import { descriptorSource } from './descriptor-source.ts'
import type { SealRequest, SealResult, SealSetUp } from './lane-messages.ts'
import { SealLane } from './seal-lane.ts'

/** The entry of a lane's thread. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the thread's maker is our own code
const setUp = workerData as SealSetUp
serveSealing(setUp)

function serveSealing(from: SealSetUp): void {
  const { config, keys } = from
  const level = config.compression.algorithm === 'zstd' ? config.compression.level : null
  const lane = new SealLane({
    store: new DirectoryStore(from.store.path, { writerId: from.store.writerId }),
    sealing: { repositoryId: config.id, keys },
    codec: chooseCodec({ idKey: keys?.idKey ?? null, level }),
    compress: level !== null,
    chunkSizeBytes: config.chunkSizeBytes,
    packSizeBytes: config.packSizeBytes,
    known: new KnownChunks(from.known),
    index: new LocalIndexLocator(from.index),
    sources: from.sources.map(descriptorSource),
    allocate: allocateAligned,
    randomSalt: () => randomBytes(32),
    onPack: emitEvent,
  })
  serveCalls<SealRequest, SealResult>(async (request) => {
    if (request.type === 'seal') return await lane.seal(request.job)
    await lane.drain()
    return null
  })
}
