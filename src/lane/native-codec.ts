import assert from 'node:assert/strict'
import type { SealContext } from '../repository/aes-gcm.ts'
import { TAG_SIZE } from '../repository/aes-gcm.ts'
import type { ChunkCodec, CodecOptions } from '../repository/chunk-codec.ts'
import type { NativeLibrary, NativeValue } from '../linux/native.ts'

/** ZSTD_c_compressionLevel of zstd.h. */
const COMPRESSION_LEVEL = 100
/** EVP_CTRL_AEAD_GET_TAG and EVP_CTRL_AEAD_SET_TAG of openssl/evp.h. */
const GET_TAG = 0x10
const SET_TAG = 0x11
const HMAC_BLOCK_SIZE = 64
/** More than sizeof(SHA256_CTX) on any platform. */
const SHA256_STATE_SIZE = 256

/**
 * The codec that calls zstd and OpenSSL in the Node.js binary directly, with contexts that are made once: a
 * chunk is compressed straight into its pack and encrypted in place, with no allocation. It takes two thirds of
 * the portable codec's time. Throws when the binary does not export what is needed.
 */
export function nativeCodec(library: NativeLibrary, options: CodecOptions): ChunkCodec {
  const zstd = zstdCodec(library, options.level)
  const aead = aeadCodec(library)
  const hash = hashCodec(library, options.idKey)
  return { name: 'native', ...zstd, ...aead, ...hash }
}

function zstdCodec(
  library: NativeLibrary,
  level: number | null,
): Pick<ChunkCodec, 'compress' | 'decompress'> {
  const isError = library.func('unsigned int ZSTD_isError(size_t code)')
  const compress = library.func(
    'size_t ZSTD_compress2(void *c, void *dst, size_t capacity, const void *src, size_t size)',
  )
  const decompress = library.func(
    'size_t ZSTD_decompressDCtx(void *d, void *dst, size_t capacity, const void *src, size_t size)',
  )
  const compressor = requirePointer(library.func('void *ZSTD_createCCtx()')())
  const decompressor = requirePointer(library.func('void *ZSTD_createDCtx()')())
  const setParameter = library.func('size_t ZSTD_CCtx_setParameter(void *c, int parameter, int value)')
  assert(isError(setParameter(compressor, COMPRESSION_LEVEL, level ?? 1)) === 0)
  return {
    compress(plaintext, target) {
      const result = compress(compressor, target, target.byteLength, plaintext, plaintext.byteLength)
      return isError(result) === 0 ? Number(result) : 0
    },
    decompress(frame, target) {
      const result = decompress(decompressor, target, target.byteLength, frame, frame.byteLength)
      if (isError(result) !== 0 || Number(result) !== target.byteLength) {
        throw new SyntaxError(`zstd frame does not decompress to ${target.byteLength} bytes`)
      }
    },
  }
}

function aeadCodec(library: NativeLibrary): Pick<ChunkCodec, 'sealInPlace' | 'openInPlace'> {
  const cipher = requirePointer(library.func('void *EVP_aes_256_gcm()')())
  const init = library.func(
    'int EVP_CipherInit_ex(void *c, void *type, void *engine, const void *key, const void *iv, int enc)',
  )
  const update = library.func(
    'int EVP_CipherUpdate(void *c, void *out, void *outLength, const void *input, int length)',
  )
  const final = library.func('int EVP_CipherFinal_ex(void *c, void *out, void *outLength)')
  const control = library.func('int EVP_CIPHER_CTX_ctrl(void *c, int type, int argument, void *pointer)')
  const newContext = library.func('void *EVP_CIPHER_CTX_new()')
  const sealing = { context: requirePointer(newContext()), key: new Uint8Array(0) }
  const opening = { context: requirePointer(newContext()), key: new Uint8Array(0) }
  const outLength = new Int32Array(1)
  const tag = new Uint8Array(TAG_SIZE)
  const nonce = new Uint8Array(12)
  const nonceView = new DataView(nonce.buffer)

  /** One key serves a whole pack: its schedule is computed once. */
  function begin(
    side: { context: NativeValue; key: Uint8Array },
    context: SealContext,
    encrypt: 0 | 1,
  ): void {
    nonceView.setBigUint64(0, BigInt(context.position), true)
    if (side.key !== context.key) {
      assert(context.key.byteLength === 32)
      assert(init(side.context, cipher, null, context.key, null, encrypt) === 1)
      side.key = context.key
    }
    assert(init(side.context, null, null, null, nonce, encrypt) === 1)
    assert(update(side.context, null, outLength, context.associated, context.associated.byteLength) === 1)
  }

  return {
    sealInPlace(bytes, context) {
      const body = bytes.subarray(0, bytes.byteLength - TAG_SIZE)
      begin(sealing, context, 1)
      assert(update(sealing.context, body, outLength, body, body.byteLength) === 1)
      assert(final(sealing.context, tag, outLength) === 1)
      assert(control(sealing.context, GET_TAG, TAG_SIZE, tag) === 1)
      bytes.set(tag, body.byteLength)
    },
    openInPlace(bytes, context) {
      if (bytes.byteLength < TAG_SIZE)
        throw new SyntaxError(`sealed bytes are ${bytes.byteLength} long, a tag alone has ${TAG_SIZE}`)
      const body = bytes.subarray(0, bytes.byteLength - TAG_SIZE)
      begin(opening, context, 0)
      assert(update(opening.context, body, outLength, body, body.byteLength) === 1)
      tag.set(bytes.subarray(body.byteLength))
      assert(control(opening.context, SET_TAG, TAG_SIZE, tag) === 1)
      if (final(opening.context, tag, outLength) !== 1) {
        throw new SyntaxError('authentication failed: the bytes are damaged, or sealed with another key')
      }
    },
  }
}

/**
 * SHA-256, and HMAC by its definition (RFC 2104): the states after the two padded keys are kept and copied, so
 * that a chunk costs one pass and one more block.
 */
function hashCodec(library: NativeLibrary, idKey: Uint8Array | null): Pick<ChunkCodec, 'chunkId' | 'digest'> {
  const initialise = library.func('int SHA256_Init(void *state)')
  const update = library.func('int SHA256_Update(void *state, const void *data, size_t length)')
  const final = library.func('int SHA256_Final(void *digest, void *state)')
  const oneShot = library.func('void *SHA256(const void *data, size_t length, void *digest)')
  const digestOf = (bytes: Uint8Array, target: Uint8Array): void => {
    oneShot(bytes, bytes.byteLength, target)
  }
  const digest = (bytes: Uint8Array): Uint8Array => {
    const target = new Uint8Array(32)
    digestOf(bytes, target)
    return target
  }
  if (idKey === null) return { chunkId: digestOf, digest }

  const stateAfter = (pad: number): Uint8Array => {
    const block = new Uint8Array(HMAC_BLOCK_SIZE).fill(pad)
    for (const [index, byte] of idKey.entries()) block[index] = byte ^ pad
    const state = new Uint8Array(SHA256_STATE_SIZE)
    assert(initialise(state) === 1 && update(state, block, HMAC_BLOCK_SIZE) === 1)
    return state
  }
  assert(idKey.byteLength <= HMAC_BLOCK_SIZE)
  const inner = stateAfter(0x36)
  const outer = stateAfter(0x5c)
  const state = new Uint8Array(SHA256_STATE_SIZE)
  const innerDigest = new Uint8Array(32)
  return {
    chunkId(plaintext, target) {
      state.set(inner)
      update(state, plaintext, plaintext.byteLength)
      final(innerDigest, state)
      state.set(outer)
      update(state, innerDigest, 32)
      final(target, state)
    },
    digest,
  }
}

function requirePointer(value: NativeValue): NativeValue {
  assert(value !== null && value !== undefined)
  return value
}
