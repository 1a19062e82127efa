import { hkdfSync } from 'node:crypto'

/**
 * The keys of an encrypted repository, all derived from one random master key by HKDF-SHA-256.
 * Plain data, so that it can be handed to a worker thread; never logged, never stored.
 */
export type RepositoryKeys = {
  /** Keys the chunk ids (HMAC-SHA-256), so that ids tell nothing about the data. */
  readonly idKey: Uint8Array
  /** The key of each file is derived from this one and the file's salt. */
  readonly sealKey: Uint8Array
}

export const MASTER_KEY_SIZE = 32
const FILE_KEY_SIZE = 32
const NOTHING = new Uint8Array(0)

export function deriveRepositoryKeys(masterKey: Uint8Array): RepositoryKeys {
  return {
    idKey: derive(masterKey, NOTHING, 'icecore v1 chunk id'),
    sealKey: derive(masterKey, NOTHING, 'icecore v1 seal'),
  }
}

/** The AES-256 key of one file: no two files share one, so a nonce need only be unique inside its file. */
export function deriveFileKey(keys: RepositoryKeys, salt: Uint8Array): Uint8Array {
  return derive(keys.sealKey, salt, 'icecore v1 file')
}

function derive(key: Uint8Array, salt: Uint8Array, info: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, salt, info, FILE_KEY_SIZE))
}
