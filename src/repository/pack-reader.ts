import { BackupError, ErrorCode, isBackupError } from '../domain/backup-error.ts'
import { TAG_SIZE } from './aes-gcm.ts'
import type { ChunkCodec } from './chunk-codec.ts'
import type { ChunkLocation } from './chunk-location.ts'
import { FILE_HEADER_SIZE, parseFileHeader } from './file-header.ts'
import type { PackContents } from './index-segment.ts'
import { deriveFileKey } from './keys.ts'
import { Magic } from './magic.ts'
import { packName } from './object-names.ts'
import {
  Encoding,
  PACK_SIZE_MAX,
  PACK_TRAILER_SIZE,
  parseDirectory,
  parsePackTrailer,
} from './pack-format.ts'
import { requireSameSealing, type SealingContext } from './sealed-file.ts'
import type { Store } from './store.ts'

/** Keys of packs that were read lately; a key is 32 bytes. */
const KEYS_MAX = 8192

export type PackReaderOptions = {
  readonly store: Store
  readonly sealing: SealingContext
  readonly codec: ChunkCodec
}

/** Where stored bytes lie, for opening them and for sentences. */
type Place = Pick<ChunkLocation, 'packId' | 'offset' | 'encoding'>

/** Reads and opens what lies in packs; nothing leaves it that was not verified against its id. */
export class PackReader {
  readonly #options: PackReaderOptions
  readonly #keys = new Map<string, Uint8Array | null>()
  readonly #id = new Uint8Array(32)

  constructor(options: PackReaderOptions) {
    this.#options = options
  }

  /** The key of a pack, or null in a repository without encryption. */
  async keyOf(packId: string): Promise<Uint8Array | null> {
    if (this.#options.sealing.keys === null) return null
    const cached = this.#keys.get(packId)
    if (cached !== undefined) return cached
    const header = new Uint8Array(FILE_HEADER_SIZE)
    await this.readInto(packId, header, 0)
    const key = this.keyFromHeader(packId, header)
    if (this.#keys.size >= KEYS_MAX) this.#keys.clear()
    this.#keys.set(packId, key)
    return key
  }

  /** The key that follows from a pack's first bytes; throws REPOSITORY_DAMAGED when they are not a pack's. */
  keyFromHeader(packId: string, bytes: Uint8Array): Uint8Array | null {
    const { sealing } = this.#options
    try {
      const header = parseFileHeader(bytes, { magic: Magic.Pack, repositoryId: sealing.repositoryId })
      requireSameSealing(header.encrypted, sealing)
      return sealing.keys === null ? null : deriveFileKey(sealing.keys, header.salt)
    } catch (cause) {
      throw packDamaged(packId, cause)
    }
  }

  /**
   * Opens the stored bytes of one chunk or node into `target`, which has its exact size, and verifies its id.
   * `stored` is overwritten. Throws CHUNK_DAMAGED.
   */
  openInto(
    entry: { id: Uint8Array; place: Place; key: Uint8Array | null; stored: Uint8Array },
    target: Uint8Array,
  ): void {
    const plaintext = this.open(entry, target)
    if (plaintext !== target) target.set(plaintext)
  }

  /** As `openInto`, but what is not compressed stays in `stored`: returns where the plaintext is. */
  open(
    entry: { id: Uint8Array; place: Place; key: Uint8Array | null; stored: Uint8Array },
    target: Uint8Array,
  ): Uint8Array {
    const { codec } = this.#options
    try {
      const body = this.#decrypt(entry)
      const isCompressed = entry.place.encoding === Encoding.Zstd
      if (isCompressed) codec.decompress(body, target)
      else if (body.byteLength !== target.byteLength)
        throw new SyntaxError(`it has ${body.byteLength} bytes, expected ${target.byteLength}`)
      const plaintext = isCompressed ? target : body
      codec.chunkId(plaintext, this.#id)
      if (Buffer.compare(this.#id, entry.id) !== 0) throw new SyntaxError('its content does not have this id')
      return plaintext
    } catch (cause) {
      throw chunkDamaged(entry, cause)
    }
  }

  /** A node's bytes, verified. Throws CHUNK_DAMAGED, or what the store throws. */
  async readNode(id: Uint8Array, location: ChunkLocation): Promise<Uint8Array> {
    const stored = await this.readStored(location)
    const key = await this.keyOf(location.packId)
    const size = stored.byteLength - (key === null ? 0 : TAG_SIZE)
    const target = new Uint8Array(Math.max(0, size))
    this.openInto({ id, place: location, key, stored }, target)
    return target
  }

  /** The bytes of an entry as they lie in its pack. */
  async readStored(location: ChunkLocation): Promise<Uint8Array> {
    const stored = new Uint8Array(location.storedSize)
    await this.readInto(location.packId, stored, location.offset)
    return stored
  }

  /** What a pack's own directory says lies in it, checked. Throws REPOSITORY_DAMAGED. */
  async readContents(packId: string): Promise<PackContents> {
    const sizeBytes = await this.#options.store.sizeOf(packName(packId))
    if (sizeBytes === null || sizeBytes < FILE_HEADER_SIZE + PACK_TRAILER_SIZE || sizeBytes > PACK_SIZE_MAX) {
      throw packDamaged(packId, new SyntaxError(`it has ${sizeBytes ?? 'no'} bytes`))
    }
    const tail = new Uint8Array(PACK_TRAILER_SIZE)
    await this.readInto(packId, tail, sizeBytes - PACK_TRAILER_SIZE)
    const header = new Uint8Array(FILE_HEADER_SIZE)
    await this.readInto(packId, header, 0)
    const key = this.keyFromHeader(packId, header)
    try {
      const trailer = parsePackTrailer(tail, { sizeBytes, encrypted: key !== null })
      const directory = new Uint8Array(trailer.directoryLength)
      await this.readInto(packId, directory, trailer.directoryOffset)
      const opened = this.openDirectory({ header, key, directory, offset: trailer.directoryOffset })
      parseDirectory(opened, trailer)
      return { packId, directory: opened }
    } catch (cause) {
      if (cause instanceof BackupError) throw cause
      throw packDamaged(packId, cause)
    }
  }

  /** Opens a directory in place; throws SyntaxError when it is damaged. */
  openDirectory(pack: {
    header: Uint8Array
    key: Uint8Array | null
    directory: Uint8Array
    offset: number
  }): Uint8Array {
    if (pack.key === null) return pack.directory
    const context = { key: pack.key, position: pack.offset, associated: pack.header }
    this.#options.codec.openInPlace(pack.directory, context)
    return pack.directory.subarray(0, pack.directory.byteLength - TAG_SIZE)
  }

  #decrypt(entry: { id: Uint8Array; place: Place; key: Uint8Array | null; stored: Uint8Array }): Uint8Array {
    if (entry.key === null) return entry.stored
    const context = { key: entry.key, position: entry.place.offset, associated: entry.id }
    this.#options.codec.openInPlace(entry.stored, context)
    return entry.stored.subarray(0, entry.stored.byteLength - TAG_SIZE)
  }

  /** Fills `target` from a pack. Throws CHUNK_MISSING when there is no such pack, or what the store throws. */
  async readInto(packId: string, target: Uint8Array, offset: number): Promise<void> {
    try {
      await this.#options.store.readInto(packName(packId), target, offset)
    } catch (cause) {
      if (isBackupError(cause, ErrorCode.StoreFailed))
        await this.#requireLength(packId, { run: { target, offset }, cause })
      if (cause instanceof BackupError && cause.code !== ErrorCode.StoreObjectMissing) throw cause
      const message = `Cannot read pack ${packId}: it is missing from the repository; \`icecore check\` says what that hurts`
      throw new BackupError(ErrorCode.ChunkMissing, message, { cause, data: { packId } })
    }
  }

  /** A read that failed because the pack was cut short tells of damage, not of a failing store. */
  async #requireLength(
    packId: string,
    failed: { run: { target: Uint8Array; offset: number }; cause: BackupError },
  ): Promise<void> {
    const needed = failed.run.offset + failed.run.target.byteLength
    const sizeBytes = await this.#options.store.sizeOf(packName(packId))
    if (sizeBytes === null || sizeBytes >= needed) return
    const message = `Cannot read pack ${packId}: it ends at ${sizeBytes}, at least ${needed} bytes are expected`
    throw new BackupError(ErrorCode.ChunkDamaged, message, {
      cause: failed.cause,
      data: { packId, sizeBytes },
    })
  }
}

function packDamaged(packId: string, cause: unknown): BackupError {
  const message = `Cannot read pack ${packId}: ${messageOf(cause)}`
  return new BackupError(ErrorCode.RepositoryDamaged, message, { cause, data: { packId } })
}

function chunkDamaged(entry: { id: Uint8Array; place: Place }, cause: unknown): BackupError {
  const { packId, offset } = entry.place
  const chunkId = entry.id.toHex()
  const message = `Cannot open chunk ${chunkId} at offset ${offset} of pack ${packId}: ${messageOf(cause)}`
  return new BackupError(ErrorCode.ChunkDamaged, message, { cause, data: { chunkId, packId, offset } })
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
