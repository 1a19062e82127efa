import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { allocateAligned } from '../linux/aligned-memory.ts'
import { emitEvent, serveCalls } from '../linux/thread-calls.ts'
import { KnownChunks } from '../repository/known-chunks.ts'
import { DirectoryStore } from '../stores/directory/directory-store.ts'
import { LocalIndexLocator } from '../stores/local-index/local-index.ts'
import { agentSource } from './agent-source.ts'
import { chooseCodec } from './choose-codec.ts'
import { descriptorSource } from './descriptor-source.ts'
import type {
  DeviceAddress,
  MappedAddress,
  SealRequest,
  SealResult,
  SealSetUp,
  SourceAddress,
} from './lane-messages.ts'
import { mappedSource } from './mapped-source.ts'
import { nbdSource } from './nbd-source.ts'
import { SealLane, type LaneSource } from './seal-lane.ts'

/** In a lane's thread: seals what it is asked to. */
export function serveSeal(setUp: SealSetUp): void {
  const { config, keys } = setUp
  const level = config.compression.algorithm === 'zstd' ? config.compression.level : null
  const lane = new SealLane({
    store: new DirectoryStore(setUp.store.path, { writerId: setUp.store.writerId }),
    sealing: { repositoryId: config.id, keys },
    codec: chooseCodec({ idKey: keys?.idKey ?? null, level }),
    compress: level !== null,
    chunkSizeBytes: config.chunkSizeBytes,
    packSizeBytes: config.packSizeBytes,
    known: new KnownChunks(setUp.known),
    index: new LocalIndexLocator(setUp.index),
    sources: setUp.sources.map(sourceAt),
    allocate: allocateAligned,
    randomSalt: () => randomBytes(32),
    onPack: emitEvent,
  })
  serveCalls<SealRequest, SealResult>(async (request) => {
    if (request.type === 'seal') return await lane.seal(request.job)
    if (request.type === 'remap') lane.replaceSource(request.source, remapped(setUp, request))
    else await lane.drain()
    return null
  })
}

function remapped(
  setUp: SealSetUp,
  { source, map }: { source: number; map: MappedAddress['map'] },
): LaneSource {
  const address = setUp.sources[source]
  assert(address !== undefined && 'map' in address)
  return sourceAt({ ...address, map })
}

function sourceAt(address: SourceAddress): LaneSource {
  if (!('map' in address)) return deviceAt(address)
  const devices = address.devices.map(deviceAt)
  return mappedSource({ ...address, devices, allocate: allocateAligned })
}

function deviceAt(address: DeviceAddress): LaneSource {
  if ('uri' in address) return nbdSource(address)
  return 'agent' in address ? agentSource(address) : descriptorSource(address)
}
