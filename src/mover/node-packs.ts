import type { KnownChunks } from '../repository/known-chunks.ts'
import type { ChunkCodec } from '../repository/chunk-codec.ts'
import { PackBuilder, packBufferSize } from '../repository/pack-builder.ts'
import { EntryKind } from '../repository/pack-format.ts'
import { packName } from '../repository/object-names.ts'
import type { SealingContext } from '../repository/sealed-file.ts'
import type { Store } from '../repository/store.ts'
import { NODE_SIZE_MAX } from '../repository/tree-node.ts'
import type { NodeSink } from '../repository/tree-writer.ts'
import type { StoredPack } from './seal-lanes.ts'

/** Nodes are small: packs of them are kept apart from data, so that to read a tree does not read data. */
const NODE_PACK_SIZE_BYTES = 4 * 1024 * 1024

export type NodePacksOptions = {
  readonly store: Store
  readonly sealing: SealingContext
  readonly codec: ChunkCodec
  readonly known: KnownChunks
  /** Whether the repository has a node that may be referred to. */
  readonly has: (id: Uint8Array) => boolean
  readonly onPack: (pack: StoredPack) => Promise<void>
  readonly randomSalt: () => Uint8Array
}

/** Stores the nodes of the trees that a run makes. */
export class NodePacks implements NodeSink {
  readonly #options: NodePacksOptions
  readonly #builder: PackBuilder
  #known: KnownChunks
  #trustsRepository = true
  #buffer: Uint8Array | null = null

  constructor(options: NodePacksOptions) {
    this.#options = options
    this.#known = options.known
    const { sealing, codec, randomSalt } = options
    this.#builder = new PackBuilder({ sealing, codec, compress: false, randomSalt })
  }

  async addNode(encoded: Uint8Array): Promise<Uint8Array> {
    const { codec, has } = this.#options
    const id = new Uint8Array(32)
    codec.chunkId(encoded, id)
    if (!this.#known.claim(id) || (this.#trustsRepository && has(id))) return id
    if (this.#builder.length >= NODE_PACK_SIZE_BYTES) await this.flush()
    if (this.#builder.length === 0) {
      this.#buffer ??= new Uint8Array(
        packBufferSize({ packSizeBytes: NODE_PACK_SIZE_BYTES, chunkSizeBytes: NODE_SIZE_MAX }),
      )
      this.#builder.begin(this.#buffer)
    }
    this.#builder.add({ id, kind: EntryKind.Node, plaintext: encoded })
    return id
  }

  /**
   * From now on every node is stored, whatever the repository and this run have: a damaged node cannot be told
   * from a sound one by its id.
   */
  distrustRepository(known: KnownChunks): void {
    this.#known = known
    this.#trustsRepository = false
  }

  /** After it returns every node is in the store and its pack was announced. */
  async flush(): Promise<void> {
    if (this.#builder.length === 0) return
    const pack = this.#builder.finish()
    await this.#options.store.put(packName(pack.id), pack.bytes)
    await this.#options.onPack({
      packId: pack.id,
      directory: pack.directory,
      sizeBytes: pack.bytes.byteLength,
    })
  }
}
