import { createHash, createHmac } from 'node:crypto'
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { openBytes, sealInto, TAG_SIZE } from './aes-gcm.ts'
import type { ChunkCodec, CodecOptions } from './chunk-codec.ts'
import { releaseMemory } from './release-memory.ts'

/** The codec that needs nothing but Node.js. The main thread uses it for metadata; lanes when they must. */
export function portableCodec(options: CodecOptions): ChunkCodec {
  const { idKey, level } = options
  const params = { [constants.ZSTD_c_compressionLevel]: level ?? 1 }
  return {
    name: 'portable',
    chunkId(plaintext, target) {
      const hash = idKey === null ? createHash('sha256') : createHmac('sha256', idKey)
      target.set(hash.update(plaintext).digest())
    },
    digest: (bytes) => createHash('sha256').update(bytes).digest(),
    compress(plaintext, target) {
      // One output buffer of the largest size: growing it in steps costs a tenth of the time.
      const frame = zstdCompressSync(plaintext, { params, chunkSize: compressBound(plaintext.byteLength) })
      const { byteLength } = frame
      if (byteLength <= target.byteLength) target.set(frame)
      releaseMemory(frame)
      return byteLength <= target.byteLength ? byteLength : 0
    },
    decompress: (frame, target) => setAndRelease(target, decompressed(frame, target.byteLength)),
    sealInPlace(bytes, context) {
      sealInto(bytes, bytes.subarray(0, bytes.byteLength - TAG_SIZE), context)
    },
    openInPlace: (bytes, context) => setAndRelease(bytes, openBytes(bytes, context)),
  }
}

/** The largest frame that zstd makes of `length` bytes (ZSTD_COMPRESSBOUND of zstd.h, rounded up). */
export function compressBound(length: number): number {
  return length + Math.ceil(length / 256) + 1024
}

function setAndRelease(target: Uint8Array, bytes: Uint8Array): void {
  target.set(bytes)
  releaseMemory(bytes)
}

function decompressed(frame: Uint8Array, length: number): Uint8Array {
  let plaintext: Uint8Array
  try {
    plaintext = zstdDecompressSync(frame, { maxOutputLength: length, chunkSize: Math.max(64, length) })
  } catch (cause) {
    throw new SyntaxError(`zstd frame does not decompress to ${length} bytes`, { cause })
  }
  if (plaintext.byteLength === length) return plaintext
  throw new SyntaxError(`zstd frame holds ${plaintext.byteLength} bytes, expected ${length}`)
}
