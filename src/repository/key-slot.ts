import { argon2, createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import { promisify } from 'node:util'
import * as v from 'valibot'
import { TAG_SIZE } from './aes-gcm.ts'
import { instantSchema } from './instant-schema.ts'
import { MASTER_KEY_SIZE } from './keys.ts'

const deriveArgon2 = promisify(argon2)
const NONCE_SIZE = 12
const SALT_SIZE = 16
const WRAPPED_SIZE = NONCE_SIZE + MASTER_KEY_SIZE + TAG_SIZE

/**
 * The second recommended option of RFC 9106: 64 MiB and three passes. It takes about 0.2 s here, which every
 * command pays once, while its worker threads start.
 */
const ARGON2 = { memoryKiB: 65_536, passes: 3, parallelism: 4 }

const base64 = (size: number): v.GenericSchema<string> =>
  v.pipe(
    v.string(),
    v.base64(),
    v.check((text) => Buffer.from(text, 'base64').byteLength === size, `expected ${size} bytes`),
  )
const common = {
  /** 16 hexadecimal digits. */
  id: v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/)),
  createdAt: instantSchema,
  label: v.pipe(v.string(), v.maxLength(200)),
  /** Nonce, master key under AES-256-GCM, tag. */
  wrappedKey: base64(WRAPPED_SIZE),
}
/** The limits keep a hostile configuration from eating a reader's memory or day. */
const bounded = (max: number): v.GenericSchema<number> =>
  v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(max))

export const keySlotSchema = v.variant('kind', [
  v.strictObject({
    ...common,
    kind: v.literal('password'),
    kdf: v.strictObject({
      algorithm: v.literal('argon2id'),
      memoryKiB: v.pipe(bounded(1_048_576), v.minValue(1024)),
      passes: bounded(32),
      parallelism: bounded(16),
      salt: base64(SALT_SIZE),
    }),
  }),
  v.strictObject({
    ...common,
    kind: v.literal('recovery'),
    kdf: v.strictObject({ algorithm: v.literal('hkdf-sha256'), salt: base64(SALT_SIZE) }),
  }),
])

/** One way to the master key. */
export type KeySlot = v.InferOutput<typeof keySlotSchema>

/** What opens a slot: a password, or the 32 bytes of a recovery key. */
export type Secret =
  | { readonly kind: 'password'; readonly password: string }
  | { readonly kind: 'recovery'; readonly key: Uint8Array }

export type NewSlot = {
  readonly masterKey: Uint8Array
  readonly secret: Secret
  readonly label: string
  readonly createdAt: string
  /** What the slot authenticates beside the key: {@link configBinding}. */
  readonly binding: Uint8Array
  readonly randomBytes: (count: number) => Uint8Array
}

export async function createKeySlot(slot: NewSlot): Promise<KeySlot> {
  const salt = slot.randomBytes(SALT_SIZE)
  const nonce = slot.randomBytes(NONCE_SIZE)
  const kdfSalt = Buffer.from(salt).toString('base64')
  const key = await wrappingKey(slot.secret, { salt, ...ARGON2 })
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(slot.binding)
  const wrapped = Buffer.concat([nonce, cipher.update(slot.masterKey), cipher.final(), cipher.getAuthTag()])
  const about = {
    id: slot.randomBytes(8).toHex(),
    createdAt: slot.createdAt,
    label: slot.label,
    wrappedKey: wrapped.toString('base64'),
  }
  if (slot.secret.kind === 'recovery') {
    return { ...about, kind: 'recovery', kdf: { algorithm: 'hkdf-sha256', salt: kdfSalt } }
  }
  return { ...about, kind: 'password', kdf: { algorithm: 'argon2id', ...ARGON2, salt: kdfSalt } }
}

/** The master key, or null when the secret does not open this slot. */
export async function openKeySlot(
  slot: KeySlot,
  open: { secret: Secret; binding: Uint8Array },
): Promise<Uint8Array | null> {
  if (slot.kind !== open.secret.kind) return null
  const cost = slot.kind === 'password' ? slot.kdf : ARGON2
  const key = await wrappingKey(open.secret, { ...cost, salt: Buffer.from(slot.kdf.salt, 'base64') })
  const wrapped = Buffer.from(slot.wrappedKey, 'base64')
  const decipher = createDecipheriv('aes-256-gcm', key, wrapped.subarray(0, NONCE_SIZE))
  decipher.setAAD(open.binding)
  decipher.setAuthTag(wrapped.subarray(WRAPPED_SIZE - TAG_SIZE))
  const masterKey = decipher.update(wrapped.subarray(NONCE_SIZE, WRAPPED_SIZE - TAG_SIZE))
  try {
    decipher.final()
  } catch {
    return null
  }
  return new Uint8Array(masterKey)
}

type KdfCost = {
  readonly salt: Uint8Array
  readonly memoryKiB: number
  readonly passes: number
  readonly parallelism: number
}

async function wrappingKey(secret: Secret, cost: KdfCost): Promise<Uint8Array> {
  if (secret.kind === 'recovery') {
    return new Uint8Array(
      hkdfSync('sha256', secret.key, cost.salt, 'icecore v1 recovery slot', MASTER_KEY_SIZE),
    )
  }
  return await deriveArgon2('argon2id', {
    message: secret.password.normalize('NFC'),
    nonce: cost.salt,
    parallelism: cost.parallelism,
    memory: cost.memoryKiB,
    passes: cost.passes,
    tagLength: MASTER_KEY_SIZE,
  })
}
