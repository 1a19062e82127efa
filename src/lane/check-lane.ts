import { ErrorCode, isBackupError } from '../domain/backup-error.ts'
import { damagedPack, type PackFindings } from '../repository/check/pack-findings.ts'
import { CheckCode } from '../repository/check/problem.ts'
import { damageOf } from '../repository/check/unreadable.ts'
import { impossibleSize, verifyBuffers, verifyPack } from '../repository/check/verify-pack.ts'
import type { ChunkCodec } from '../repository/chunk-codec.ts'
import { packName } from '../repository/object-names.ts'
import { packBufferSize } from '../repository/pack-builder.ts'
import { PackReader } from '../repository/pack-reader.ts'
import type { SealingContext } from '../repository/sealed-file.ts'
import type { Store } from '../repository/store.ts'
import { BufferPool } from './buffer-pool.ts'

/** One pack is verified while the next is read. */
const PACK_BUFFERS = 2
const GONE = 'it went away while it was checked'

export type CheckLaneOptions = {
  readonly store: Store
  /** Null when there is no key: only names are compared. */
  readonly sealing: SealingContext | null
  readonly codec: ChunkCodec
  readonly chunkSizeBytes: number
  readonly packSizeBytes: number
  readonly allocate: (bytes: number) => Uint8Array
}

/** Reads packs, each once, and verifies all that is in them. Its memory is fixed, but for packs that are larger than they should be. */
export class CheckLane {
  readonly #options: CheckLaneOptions
  readonly #buffers: BufferPool
  readonly #verify: Parameters<typeof verifyPack>[1]

  constructor(options: CheckLaneOptions) {
    this.#options = options
    const { store, sealing, codec, allocate, chunkSizeBytes } = options
    const size = packBufferSize(options)
    this.#buffers = new BufferPool(Array.from({ length: PACK_BUFFERS }, () => allocate(size)))
    const packs = sealing === null ? null : new PackReader({ store, sealing, codec })
    this.#verify = { codec, packs, ...verifyBuffers(chunkSizeBytes) }
  }

  async check(packId: string): Promise<PackFindings> {
    const buffer = await this.#buffers.acquire()
    try {
      return await this.#checkIn(buffer, packId)
    } finally {
      this.#buffers.release(buffer)
    }
  }

  async #checkIn(buffer: Uint8Array, packId: string): Promise<PackFindings> {
    const { store } = this.#options
    const name = packName(packId)
    const sizeBytes = await store.sizeOf(name)
    const about = { packId, sizeBytes: sizeBytes ?? 0 }
    if (sizeBytes === null) return damagedPack(about, { code: CheckCode.PackMissing, reason: GONE })
    const impossible = impossibleSize(sizeBytes)
    if (impossible !== null) {
      return damagedPack(about, { code: CheckCode.PackDamaged, reason: impossible })
    }
    const bytes = sizeBytes <= buffer.byteLength ? buffer.subarray(0, sizeBytes) : new Uint8Array(sizeBytes)
    try {
      await store.readInto(name, bytes, 0)
    } catch (error) {
      const isGone = isBackupError(error, ErrorCode.StoreObjectMissing)
      if (isGone) return damagedPack(about, { code: CheckCode.PackMissing, reason: GONE })
      return damagedPack(about, { code: CheckCode.PackDamaged, reason: damageOf(error) })
    }
    return verifyPack({ packId, bytes }, this.#verify)
  }
}
