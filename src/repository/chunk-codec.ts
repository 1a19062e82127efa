import type { SealContext } from './aes-gcm.ts'

/**
 * The byte work on chunks: digests, compression, sealing. Two codecs do the same to the bit: the portable one
 * (plain Node.js) and the native one (the functions that the Node.js binary itself exports); one conformance
 * suite holds both. Not safe for use by two threads; each thread makes its own.
 */
export type ChunkCodec = {
  readonly name: 'portable' | 'native'
  /** The id of a chunk or node: HMAC-SHA-256 under the id key, or SHA-256 where there is no key; 32 bytes. */
  chunkId(plaintext: Uint8Array, target: Uint8Array): void
  /** SHA-256, 32 bytes. */
  digest(bytes: Uint8Array): Uint8Array
  /** A zstd frame in `target`; its length, or 0 when it does not fit there. */
  compress(plaintext: Uint8Array, target: Uint8Array): number
  /** Undoes `compress`; throws SyntaxError unless the frame fills `target` exactly. */
  decompress(frame: Uint8Array, target: Uint8Array): void
  /** Encrypts all but the last 16 bytes of `bytes` in place and puts the tag into those. */
  sealInPlace(bytes: Uint8Array, context: SealContext): void
  /** Decrypts in place; the plaintext is `bytes` without its last 16. Throws SyntaxError when the tag is wrong. */
  openInPlace(bytes: Uint8Array, context: SealContext): void
}

export type CodecOptions = {
  /** Null in a repository without encryption. */
  readonly idKey: Uint8Array | null
  /** A zstd level, or null for no compression. */
  readonly level: number | null
}
