import { createHash } from 'node:crypto'
import * as v from 'valibot'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import { CHUNK_SIZE_MAX, CHUNK_SIZE_MIN } from './chunk-size.ts'
import { keySlotSchema, type KeySlot } from './key-slot.ts'

/**
 * The configuration of a repository: JSON for people, then one line `sha256 <digest of all bytes before it>`.
 * Its parameters are bound into every key slot (key-slot.ts), so they cannot be changed without the key.
 */
export const CONFIG_VERSION = 1
export const CONFIG_SIZE_MAX = 1024 * 1024
export const KEY_SLOTS_MAX = 64
const FORMAT = 'icecore repository'

export type Compression =
  | { readonly algorithm: 'zstd'; readonly level: number }
  | { readonly algorithm: 'none' }

export type RepositoryConfig = {
  readonly format: typeof FORMAT
  readonly version: typeof CONFIG_VERSION
  /** 32 hexadecimal digits. */
  readonly id: string
  readonly createdAt: string
  readonly chunkSizeBytes: number
  /** What writers aim at. */
  readonly packSizeBytes: number
  readonly compression: Compression
  readonly encryption: 'aes-256-gcm' | 'none'
  readonly keySlots: readonly KeySlot[]
}

const isPowerOfTwo = (value: number): boolean => Number.isInteger(Math.log2(value))

const schema = v.strictObject({
  format: v.literal(FORMAT),
  version: v.literal(CONFIG_VERSION),
  id: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)),
  createdAt: v.pipe(v.string(), v.isoTimestamp()),
  chunkSizeBytes: v.pipe(
    v.number(),
    v.minValue(CHUNK_SIZE_MIN),
    v.maxValue(CHUNK_SIZE_MAX),
    v.check(isPowerOfTwo),
  ),
  packSizeBytes: v.pipe(v.number(), v.integer(), v.minValue(1024 * 1024), v.maxValue(32 * 1024 * 1024)),
  compression: v.variant('algorithm', [
    v.strictObject({
      algorithm: v.literal('zstd'),
      level: v.pipe(v.number(), v.integer(), v.minValue(-7), v.maxValue(19)),
    }),
    v.strictObject({ algorithm: v.literal('none') }),
  ]),
  encryption: v.picklist(['aes-256-gcm', 'none']),
  keySlots: v.pipe(v.array(keySlotSchema), v.maxLength(KEY_SLOTS_MAX)),
})

export function encodeConfig(config: RepositoryConfig): Uint8Array {
  const text = `${JSON.stringify(config, null, 2)}\n`
  return Buffer.from(`${text}sha256 ${digestOf(text)}\n`)
}

/** Throws BackupError REPOSITORY_NEWER or REPOSITORY_DAMAGED, naming `where`. */
export function parseConfig(bytes: Uint8Array, where: string): RepositoryConfig {
  const text = Buffer.from(bytes).toString('utf8')
  const end = text.lastIndexOf('sha256 ')
  if (end < 0) throw damaged(where, 'its last line is not a SHA-256')
  const body = text.slice(0, end)
  const found = digestOf(body)
  if (text.slice(end) !== `sha256 ${found}\n`)
    throw damaged(where, `its bytes have SHA-256 ${found}, its last line says otherwise`)
  const value = parseJson(body, where)
  requireVersion(value, where)
  const result = v.safeParse(schema, value)
  if (!result.success) throw damaged(where, describeIssue(result.issues[0]))
  return result.output
}

/** The bytes that every key slot authenticates: what a reader must not be talked into changing. */
export function configBinding(config: Omit<RepositoryConfig, 'keySlots'>): Uint8Array {
  const compression = config.compression.algorithm === 'none' ? 'none' : `zstd:${config.compression.level}`
  const parts = [
    config.version,
    config.id,
    config.chunkSizeBytes,
    config.packSizeBytes,
    compression,
    config.encryption,
  ]
  return Buffer.from(`${FORMAT}|${parts.join('|')}`)
}

function requireVersion(value: unknown, where: string): void {
  const version = v.safeParse(v.looseObject({ version: v.number() }), value)
  if (!version.success || version.output.version <= CONFIG_VERSION) return
  throw new BackupError(
    ErrorCode.RepositoryNewer,
    `Cannot open repository "${where}": its format is version ${version.output.version}, this icecore reads up to ${CONFIG_VERSION}`,
    { data: { version: version.output.version, supported: CONFIG_VERSION } },
  )
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw damaged(where, 'it is not JSON', cause)
  }
}

function describeIssue(issue: v.BaseIssue<unknown>): string {
  return `at ${v.getDotPath(issue) ?? 'the top'}: ${issue.message}`
}

function damaged(where: string, finding: string, cause?: unknown): BackupError {
  const message = `Cannot open repository "${where}": the configuration is damaged: ${finding}`
  return new BackupError(ErrorCode.RepositoryDamaged, message, { cause, data: { object: 'config' } })
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
