import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'

import { withOneByteFlipped } from '../../test/support/flip-bytes.ts'
import { ErrorCode, isBackupError } from '../domain/backup-error.ts'
import { configBinding, encodeConfig, parseConfig, type RepositoryConfig } from './config.ts'

const base64 = (size: number): string => Buffer.alloc(size, 5).toString('base64')
const config: RepositoryConfig = {
  format: 'icecore repository',
  version: 1,
  id: '0123456789abcdef0123456789abcdef',
  createdAt: '2026-01-02T03:04:05.000Z',
  chunkSizeBytes: 65_536,
  packSizeBytes: 8 * 1024 * 1024,
  compression: { algorithm: 'zstd', level: 1 },
  encryption: 'aes-256-gcm',
  keySlots: [
    {
      kind: 'recovery',
      id: '0123456789abcdef',
      createdAt: '2026-01-02T03:04:05.000Z',
      label: 'Schlüssel im Safe, sha256 und mehr',
      wrappedKey: base64(60),
      kdf: { algorithm: 'hkdf-sha256', salt: base64(16) },
    },
  ],
}

/** The bytes of a configuration that says `change`, with the digest that they need. */
function bytesOf(change: Readonly<Record<string, unknown>>): Uint8Array {
  const text = `${JSON.stringify({ ...config, ...change }, null, 2)}\n`
  return Buffer.from(`${text}sha256 ${createHash('sha256').update(text).digest('hex')}\n`)
}

test('parseConfig() undoes encodeConfig()', () => {
  assert.deepEqual(parseConfig(encodeConfig(config), 'here'), config)
  const plain: RepositoryConfig = {
    ...config,
    encryption: 'none',
    compression: { algorithm: 'none' },
    keySlots: [],
  }
  assert.deepEqual(parseConfig(encodeConfig(plain), 'here'), plain)
})

test('parseConfig() refuses every flipped byte and every other length', () => {
  const bytes = encodeConfig(config)
  for (const { at, flipped } of withOneByteFlipped(bytes)) {
    assert.throws(() => parseConfig(flipped, 'here'), { code: ErrorCode.RepositoryDamaged }, `byte ${at}`)
  }
  for (let length = 0; length < bytes.byteLength; length += 1) {
    const cut = bytes.subarray(0, length)
    assert.throws(() => parseConfig(cut, 'here'), { code: ErrorCode.RepositoryDamaged }, `${length} bytes`)
  }
  const longer = Buffer.concat([bytes, Buffer.from('\n')])
  assert.throws(() => parseConfig(longer, 'here'), { code: ErrorCode.RepositoryDamaged })
})

test('parseConfig() says that a format is newer, whatever else it does not understand', () => {
  const newer = bytesOf({ version: 2, keySlots: 'another form' })
  assert.throws(
    () => parseConfig(newer, 'here'),
    (error) => isBackupError(error, ErrorCode.RepositoryNewer) && /version 2/.test(error.message),
  )
})

test('parseConfig() refuses what no repository has', () => {
  for (const change of [
    { format: 'another' },
    { version: 0 },
    { version: '1' },
    { id: 'short' },
    { createdAt: 'yesterday' },
    { chunkSizeBytes: 65_537 },
    { chunkSizeBytes: 8192 },
    { chunkSizeBytes: 8 * 1024 * 1024 },
    { packSizeBytes: 1024 },
    { packSizeBytes: 2 ** 40 },
    { compression: { algorithm: 'zstd', level: 99 } },
    { compression: { algorithm: 'zstd' } },
    { compression: { algorithm: 'lz4' } },
    { encryption: 'rot13' },
    { keySlots: [{ ...config.keySlots[0], wrappedKey: base64(59) }] },
    { keySlots: [{ ...config.keySlots[0], kind: 'other' }] },
    { keySlots: Array.from({ length: 65 }, () => config.keySlots[0]) },
    { unknown: 1 },
  ]) {
    const refused = { code: ErrorCode.RepositoryDamaged }
    assert.throws(() => parseConfig(bytesOf(change), 'here'), refused, JSON.stringify(change))
  }
})

test('parseConfig() refuses a key slot that would cost a reader its memory or its day', () => {
  const kdf = { algorithm: 'argon2id', memoryKiB: 65_536, passes: 3, parallelism: 4, salt: base64(16) }
  const slot = { ...config.keySlots[0], kind: 'password', kdf }
  assert.equal(parseConfig(bytesOf({ keySlots: [slot] }), 'here').keySlots[0]?.kind, 'password')
  for (const change of [{ memoryKiB: 2 ** 31 }, { passes: 1000 }, { parallelism: 0 }, { memoryKiB: 8 }]) {
    const hostile = bytesOf({ keySlots: [{ ...slot, kdf: { ...kdf, ...change } }] })
    assert.throws(() => parseConfig(hostile, 'here'), { code: ErrorCode.RepositoryDamaged })
  }
})

test('configBinding() changes with every parameter that a reader relies on', () => {
  const changes: Partial<RepositoryConfig>[] = [
    {},
    { id: 'f'.repeat(32) },
    { chunkSizeBytes: 131_072 },
    { packSizeBytes: 1024 * 1024 },
    { compression: { algorithm: 'none' } },
    { compression: { algorithm: 'zstd', level: 2 } },
    { encryption: 'none' },
  ]
  const bindings = changes.map((change) => Buffer.from(configBinding({ ...config, ...change })).toString())
  assert.equal(new Set(bindings).size, bindings.length)
})
