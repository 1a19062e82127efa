import assert from 'node:assert/strict'

import type { StoredPoint } from '../../src/domain/recovery-point.ts'
import { condemnPacks } from '../../src/repository/condemned.ts'
import { parseDirectory, parsePackTrailer, PACK_TRAILER_SIZE } from '../../src/repository/pack-format.ts'
import type { Repository } from '../../src/repository/repository.ts'
import { treeShape } from '../../src/repository/tree-shape.ts'
import { cachedNodes } from '../../src/repository/node-cache.ts'
import { nodeReader, type NodeReader } from '../../src/repository/node-reader.ts'
import { PLACES } from '../../src/repository/tree-node.ts'
import { MemoryStore } from '../../src/stores/memory-store.ts'
import { backUpInThread, openIndex, testRepository, TEST_CHUNK_SIZE } from './in-thread-backup.ts'
import type { MemoryImage } from './memory-image.ts'
import { sampleImage, withChanges } from './sample-image.ts'

const CHUNK_COUNT = 600

/** A sound repository of three points, and what each point needs: ids of chunks and nodes, in hexadecimal. */
export type SoundRepository = {
  readonly store: MemoryStore
  readonly encrypted: boolean
  readonly points: readonly StoredPoint[]
  readonly images: readonly MemoryImage[]
  readonly needs: readonly ReadonlySet<string>[]
}

export function repositoryIn(store: MemoryStore, encrypted: boolean): Repository {
  return testRepository(store, { encryption: encrypted ? 'aes-256-gcm' : 'none' })
}

export async function soundRepository(encrypted: boolean): Promise<SoundRepository> {
  const store = new MemoryStore()
  const repository = repositoryIn(store, encrypted)
  const first = sampleImage(51, CHUNK_COUNT * TEST_CHUNK_SIZE - 100)
  const second = withChanges(first, { seed: 52, places: [3, 4, 300, 301, 302] })
  const third = withChanges(second, { seed: 53, places: [10, 599 - 256] })
  const images = [first, second, third]
  const points: StoredPoint[] = []
  for (const [number, image] of images.entries()) {
    points.push(await backUpInThread(repository, { image, base: points.at(-1) ?? null, seed: number + 1 }))
  }
  await condemnPacks(store, repository.sealing, {
    packIds: ['ab'.repeat(32)],
    salt: new Uint8Array(32).fill(3),
  })
  const needs = []
  for (const point of points) needs.push(await needsOf(repository, point))
  return { store, encrypted, points, images, needs }
}

export function copyOf(store: MemoryStore): MemoryStore {
  const copy = new MemoryStore()
  for (const [name, bytes] of store.objects) copy.objects.set(name, new Uint8Array(bytes))
  return copy
}

/** Every id that a point refers to. */
async function needsOf(repository: Repository, stored: StoredPoint): Promise<Set<string>> {
  using index = await openIndex(repository)
  const nodes = cachedNodes(nodeReader(repository.packs, index.locator))
  const [object] = stored.point.objects
  assert(object !== undefined && object.root.nodeId !== null)
  const { rootLevel } = treeShape({ sizeBytes: object.sizeBytes, chunkSizeBytes: TEST_CHUNK_SIZE })
  const ids = new Set<string>()
  await collect({ id: Uint8Array.fromHex(object.root.nodeId), level: rootLevel }, nodes, ids)
  return ids
}

async function collect(
  tree: { id: Uint8Array; level: number },
  nodes: NodeReader,
  ids: Set<string>,
): Promise<void> {
  ids.add(tree.id.toHex())
  const node = await nodes.readNode(tree.id, tree.level)
  for (let place = 0; place < PLACES; place += 1) {
    if (!node.isSet(place)) continue
    if (tree.level === 0) ids.add(node.idAt(place).toHex())
    else await collect({ id: node.idAt(place), level: tree.level - 1 }, nodes, ids)
  }
}

/** The parts of a pack: where each begins and ends, and which id lies in it, if one does. */
export type PackPart = {
  readonly name: string
  readonly begin: number
  readonly end: number
  readonly id: string | null
}

export async function partsOfPack(repository: Repository, packId: string): Promise<PackPart[]> {
  const name = `packs/${packId.slice(0, 2)}/${packId}`
  const bytes = await repository.store.get(name, Number.MAX_SAFE_INTEGER)
  const trailerAt = bytes.byteLength - PACK_TRAILER_SIZE
  const encrypted = repository.sealing.keys !== null
  const trailer = parsePackTrailer(bytes.subarray(trailerAt), { sizeBytes: bytes.byteLength, encrypted })
  const { directory } = await repository.packs.readContents(packId)
  const entries = parseDirectory(directory, trailer)
  const end = trailer.directoryOffset + trailer.directoryLength
  return [
    ...headerParts(),
    ...entries.map((entry) => ({
      name: entry.kind === 0 ? 'chunk' : 'node',
      begin: entry.offset,
      end: entry.offset + entry.storedSize,
      id: entry.id.toHex(),
    })),
    plain('directory', trailer.directoryOffset, end - (encrypted ? 16 : 0)),
    ...(encrypted ? [plain('tag of the directory', end - 16, end)] : []),
    ...(end < trailerAt ? [plain('padding', end, trailerAt)] : []),
    plain('trailer magic', trailerAt, trailerAt + 8),
    plain('trailer directory offset', trailerAt + 8, trailerAt + 12),
    plain('trailer directory length', trailerAt + 12, trailerAt + 16),
    plain('trailer entry count', trailerAt + 16, trailerAt + 20),
    plain('trailer reserved', trailerAt + 20, trailerAt + 32),
  ]
}

/** The parts of the header that every file but the configuration begins with. */
export function headerParts(): PackPart[] {
  const ends = { magic: 8, version: 12, flags: 16, 'repository id': 32, salt: 64 }
  let begin = 0
  return Object.entries(ends).map(([name, end]) => {
    const part = { name, begin, end, id: null }
    begin = end
    return part
  })
}

function plain(name: string, begin: number, end: number): PackPart {
  return { name, begin, end, id: null }
}
