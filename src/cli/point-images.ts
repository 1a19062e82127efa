import type { FrozenImage } from '../domain/frozen-image.ts'
import type { PointObject } from '../domain/recovery-point.ts'
import { chooseCodec } from '../lane/choose-codec.ts'
import { StoredChunks } from '../lane/stored-chunks.ts'
import { PackReader } from '../repository/pack-reader.ts'
import { CHUNK_CACHE_BYTES, ChunkCache } from '../restore/chunk-cache.ts'
import { pointImage } from '../restore/point-image.ts'
import type { IndexedRepository } from './open-repository.ts'

/** Objects of points as images, which borrow the repository and share one cache of chunks. */
export function pointImages(repository: IndexedRepository): (object: PointObject) => FrozenImage {
  const { store, sealing, config } = repository.repository
  const codec = chooseCodec({ idKey: sealing.keys?.idKey ?? null, level: null })
  const packs = new PackReader({ store, sealing, codec })
  const { chunkSizeBytes } = config
  const stored = new StoredChunks({ packs, index: repository.locator, chunkSizeBytes, allocate })
  const chunks = new ChunkCache({
    source: { bring: (wanted) => stored.fill(wanted) },
    chunkSizeBytes,
    memoryBytes: CHUNK_CACHE_BYTES,
  })
  const parts = { nodes: repository.nodes, chunkSizeBytes, chunks }
  return (object) => pointImage(object, parts)
}

function allocate(bytes: number): Uint8Array {
  return new Uint8Array(bytes)
}
