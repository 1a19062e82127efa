import { BackupError, ErrorCode, isBackupError } from '../domain/backup-error.ts'
import type { Clock } from '../domain/clock.ts'
import type { Randomness } from '../domain/randomness.ts'
import type { ChunkCodec } from './chunk-codec.ts'
import {
  CONFIG_SIZE_MAX,
  configBinding,
  encodeConfig,
  parseConfig,
  type Compression,
  type RepositoryConfig,
} from './config.ts'
import { createKeySlot, openKeySlot, type KeySlot, type Secret } from './key-slot.ts'
import { deriveRepositoryKeys, MASTER_KEY_SIZE, type RepositoryKeys } from './keys.ts'
import { CONFIG_NAME } from './object-names.ts'
import { PackReader } from './pack-reader.ts'
import { portableCodec } from './portable-codec.ts'
import type { SealingContext } from './sealed-file.ts'
import type { Store } from './store.ts'

/** A repository that is open: its parameters, its keys, and the means to read what is in it. */
export type Repository = {
  readonly store: Store
  readonly config: RepositoryConfig
  readonly sealing: SealingContext
  readonly codec: ChunkCodec
  readonly packs: PackReader
}

const PACK_SIZE_BYTES = 8 * 1024 * 1024

export type NewRepository = {
  readonly chunkSizeBytes: number
  readonly compression: Compression
  /** None for a repository without encryption. */
  readonly secrets: readonly { readonly secret: Secret; readonly label: string }[]
  readonly clock: Clock
  readonly randomness: Randomness
}

/** Makes a repository in a store that has none. Throws REPOSITORY_EXISTS, or what the store throws. */
export async function createRepository(store: Store, options: NewRepository): Promise<RepositoryConfig> {
  if ((await store.sizeOf(CONFIG_NAME)) !== null) {
    throw new BackupError(
      ErrorCode.RepositoryExists,
      `Cannot make repository "${store.description}": there is one already`,
    )
  }
  const { randomness } = options
  const createdAt = options.clock.now().toISOString()
  const parameters = {
    format: 'icecore repository',
    version: 1,
    id: randomness.bytes(16).toHex(),
    createdAt,
    chunkSizeBytes: options.chunkSizeBytes,
    packSizeBytes: PACK_SIZE_BYTES,
    compression: options.compression,
    encryption: options.secrets.length === 0 ? 'none' : 'aes-256-gcm',
  } as const
  const masterKey = randomness.bytes(MASTER_KEY_SIZE)
  const binding = configBinding(parameters)
  const keySlots: KeySlot[] = []
  for (const { secret, label } of options.secrets) {
    const randomBytes = (count: number): Uint8Array => randomness.bytes(count)
    keySlots.push(await createKeySlot({ masterKey, secret, label, createdAt, binding, randomBytes }))
  }
  const config = { ...parameters, keySlots }
  const bytes = encodeConfig(config)
  parseConfig(bytes, store.description) // read back before it can be written
  await store.put(CONFIG_NAME, bytes)
  await store.flush()
  return config
}

/** Throws REPOSITORY_MISSING, REPOSITORY_NEWER, REPOSITORY_DAMAGED. */
export async function readConfig(store: Store): Promise<RepositoryConfig> {
  try {
    return parseConfig(await store.get(CONFIG_NAME, CONFIG_SIZE_MAX), store.description)
  } catch (error) {
    if (!isBackupError(error, ErrorCode.StoreObjectMissing)) throw error
    const message = `Cannot open repository "${store.description}": there is no repository (no file "config" in it)`
    throw new BackupError(ErrorCode.RepositoryMissing, message, { cause: error })
  }
}

/** Opens a repository; `secret` is asked for only when it is encrypted. Throws PASSWORD_WRONG as well. */
export async function openRepository(store: Store, secret: () => Promise<Secret>): Promise<Repository> {
  const config = await readConfig(store)
  if (config.encryption === 'none') return repositoryOf({ store, config, keys: null })
  const masterKey = await unlock(config, { secret: await secret(), where: store.description })
  return repositoryOf({ store, config, keys: deriveRepositoryKeys(masterKey) })
}

/** The parts of an open repository, made from plain data: a worker thread is given its keys and not its password. */
export function repositoryOf(from: {
  store: Store
  config: RepositoryConfig
  keys: RepositoryKeys | null
}): Repository {
  const { store, config, keys } = from
  const sealing = { repositoryId: config.id, keys }
  const level = config.compression.algorithm === 'zstd' ? config.compression.level : null
  const codec = portableCodec({ idKey: keys?.idKey ?? null, level })
  return { store, config, sealing, codec, packs: new PackReader({ store, sealing, codec }) }
}

/** The master key. Throws PASSWORD_WRONG. */
export async function unlock(
  config: RepositoryConfig,
  open: { secret: Secret; where: string },
): Promise<Uint8Array> {
  const binding = configBinding(config)
  for (const slot of config.keySlots) {
    const masterKey = await openKeySlot(slot, { secret: open.secret, binding })
    if (masterKey !== null) return masterKey
  }
  const kind = open.secret.kind === 'recovery' ? 'recovery key' : 'password'
  const message = `Cannot open repository "${open.where}": the ${kind} opens none of its ${config.keySlots.length} key slots`
  throw new BackupError(ErrorCode.PasswordWrong, message)
}
