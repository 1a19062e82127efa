import assert from 'node:assert/strict'
import { createHash, createHmac, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { TAG_SIZE } from './aes-gcm.ts'
import type { ChunkCodec, CodecOptions } from './chunk-codec.ts'
import { compressBound, portableCodec } from './portable-codec.ts'

type Create = (options: CodecOptions) => ChunkCodec

const idKey = randomBytes(32)
const texts = [Buffer.alloc(65_536, 'icecore '), randomBytes(65_536), Buffer.alloc(16_384), randomBytes(1)]

/** What every codec must do, to the bit, so that any of them can read what another wrote. */
export function codecConformance(name: string, create: Create): void {
  digestConformance(name, create)
  compressionConformance(name, create)
  sealingConformance(name, create)
}

function digestConformance(name: string, create: Create): void {
  test(`${name}: chunkId() is HMAC-SHA-256 under a key and SHA-256 without one`, () => {
    const target = new Uint8Array(32)
    for (const text of texts) {
      create({ idKey, level: 1 }).chunkId(text, target)
      assert.deepEqual(Buffer.from(target), createHmac('sha256', idKey).update(text).digest())
      create({ idKey: null, level: 1 }).chunkId(text, target)
      assert.deepEqual(Buffer.from(target), createHash('sha256').update(text).digest())
      assert.deepEqual(
        Buffer.from(create({ idKey, level: 1 }).digest(text)),
        createHash('sha256').update(text).digest(),
      )
    }
  })
}

function compressionConformance(name: string, create: Create): void {
  test(`${name}: compress() and decompress() undo one another, across codecs`, () => {
    const codecs = [create({ idKey, level: 3 }), portableCodec({ idKey, level: 3 })]
    for (const text of texts) {
      for (const writer of codecs) {
        const frame = new Uint8Array(compressBound(text.byteLength))
        const length = writer.compress(text, frame)
        assert.ok(length > 0)
        for (const reader of codecs) {
          const back = new Uint8Array(text.byteLength)
          reader.decompress(frame.subarray(0, length), back)
          assert.deepEqual(Buffer.from(back), text)
        }
      }
    }
  })

  test(`${name}: compress() says 0 when the frame does not fit`, () => {
    assert.equal(create({ idKey, level: 1 }).compress(randomBytes(65_536), new Uint8Array(1000)), 0)
  })

  test(`${name}: decompress() refuses a frame that is damaged, shorter or longer`, () => {
    const codec = create({ idKey, level: 1 })
    const frame = new Uint8Array(compressBound(65_536))
    const length = codec.compress(Buffer.alloc(65_536, 'icecore '), frame)
    const sound = frame.subarray(0, length)
    assert.throws(() => codec.decompress(sound, new Uint8Array(65_535)), SyntaxError)
    assert.throws(() => codec.decompress(sound, new Uint8Array(65_537)), SyntaxError)
    assert.throws(() => codec.decompress(sound.subarray(0, length - 1), new Uint8Array(65_536)), SyntaxError)
    assert.throws(() => codec.decompress(randomBytes(100), new Uint8Array(65_536)), SyntaxError)
  })
}

function sealingConformance(name: string, create: Create): void {
  test(`${name}: sealInPlace() and openInPlace() undo one another, across codecs and keys`, () => {
    const codecs = [create({ idKey, level: 1 }), portableCodec({ idKey, level: 1 })]
    const keys = [randomBytes(32), randomBytes(32)]
    for (const [position, text] of texts.entries()) {
      for (const key of keys) {
        const context = { key, position, associated: randomBytes(32) }
        for (const writer of codecs) {
          const sealed = Buffer.concat([text, Buffer.alloc(TAG_SIZE)])
          writer.sealInPlace(sealed, context)
          for (const reader of codecs) {
            const copy = Buffer.from(sealed)
            reader.openInPlace(copy, context)
            assert.deepEqual(copy.subarray(0, text.byteLength), text)
          }
        }
      }
    }
  })

  test(`${name}: openInPlace() refuses another position, other associated data and any flipped bit`, () => {
    const codec = create({ idKey, level: 1 })
    const context = { key: randomBytes(32), position: 7, associated: randomBytes(32) }
    const sealed = Buffer.alloc(64 + TAG_SIZE, 1)
    codec.sealInPlace(sealed, context)
    assert.throws(() => codec.openInPlace(Buffer.from(sealed), { ...context, position: 8 }), SyntaxError)
    assert.throws(
      () => codec.openInPlace(Buffer.from(sealed), { ...context, associated: randomBytes(32) }),
      SyntaxError,
    )
    assert.throws(() => codec.openInPlace(Buffer.from(sealed.subarray(0, 5)), context), SyntaxError)
    for (let byte = 0; byte < sealed.byteLength; byte += 1) {
      const flipped = Buffer.from(sealed)
      flipped[byte] = (flipped[byte] ?? 0) ^ 1
      assert.throws(() => codec.openInPlace(flipped, context), SyntaxError)
    }
    codec.openInPlace(sealed, context)
    assert.deepEqual(sealed.subarray(0, 64), Buffer.alloc(64, 1))
  })
}
