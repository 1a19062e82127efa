import type { PointObject } from '../../src/domain/recovery-point.ts'
import { TAG_SIZE } from '../../src/repository/aes-gcm.ts'
import type { ChunkLocator } from '../../src/repository/chunk-location.ts'
import { chunkMissing, nodeReader } from '../../src/repository/node-reader.ts'
import type { Repository } from '../../src/repository/repository.ts'
import { PLACES } from '../../src/repository/tree-node.ts'
import { treeShape } from '../../src/repository/tree-shape.ts'
import { walkLeaves } from '../../src/repository/tree-walk.ts'

/** All bytes of an object of a point, every chunk verified, the plainest way there is. */
export async function readImage(
  repository: Repository,
  locator: ChunkLocator,
  object: PointObject,
): Promise<Uint8Array> {
  const { chunkSizeBytes } = repository.config
  const shape = treeShape({ sizeBytes: object.sizeBytes, chunkSizeBytes })
  const image = new Uint8Array(shape.chunkCount * chunkSizeBytes)
  const nodes = nodeReader(repository.packs, locator)
  const { signal } = new AbortController()
  let chunkCount = 0
  for await (const { leafIndex, node } of walkLeaves({ root: object.root, shape }, { nodes, signal })) {
    for (let place = 0; place < PLACES; place += 1) {
      if (!node.isSet(place)) continue
      const offset = (leafIndex * PLACES + place) * chunkSizeBytes
      await readChunk(repository, locator, {
        id: node.idAt(place),
        target: image.subarray(offset, offset + chunkSizeBytes),
      })
      chunkCount += 1
    }
  }
  if (chunkCount !== object.root.chunkCount) {
    throw new RangeError(`the tree holds ${chunkCount} chunks, its root says ${object.root.chunkCount}`)
  }
  return image.subarray(0, object.sizeBytes)
}

async function readChunk(
  repository: Repository,
  locator: ChunkLocator,
  chunk: { id: Uint8Array; target: Uint8Array },
): Promise<void> {
  const { packs } = repository
  const place = locator.locate(chunk.id)
  if (place === null) throw chunkMissing(chunk.id, 'chunk')
  const stored = await packs.readStored(place)
  const key = await packs.keyOf(place.packId)
  if (key !== null && stored.byteLength < TAG_SIZE)
    throw new RangeError('a sealed chunk is shorter than a tag')
  packs.openInto({ id: chunk.id, place, key, stored }, chunk.target)
}
