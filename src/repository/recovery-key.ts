import { createHash } from 'node:crypto'

/**
 * A recovery key as people keep it: `icecore-recovery-1` and eight groups of seven letters and digits in
 * Crockford's Base32 (https://www.crockford.com/base32.html): 256 random bits, then 20 bits of their SHA-256
 * and four zero bits, so that a mistyped key is told from a wrong one.
 */
const PREFIX = 'icecore-recovery-1'
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const GROUP = /.{7}/g
const KEY_SIZE = 32
const DIGITS = 56

export function formatRecoveryKey(key: Uint8Array): string {
  const groups = toBase32(Buffer.concat([key, checkOf(key)])).match(GROUP) ?? []
  return `${PREFIX} ${groups.join('-')}`
}

/** Null when the text is not a recovery key at all; throws SyntaxError when it is one with a typing mistake. */
export function parseRecoveryKey(text: string): Uint8Array | null {
  const trimmed = text.trim()
  if (!trimmed.startsWith(PREFIX)) return null
  const digits = trimmed.slice(PREFIX.length).replaceAll(/[\s-]/g, '').toUpperCase()
  const cleaned = digits.replaceAll('O', '0').replaceAll(/[IL]/g, '1')
  if (cleaned.length !== DIGITS || !/^[0-9A-HJKMNP-TV-Z]*$/.test(cleaned)) {
    throw new SyntaxError(
      `Cannot read recovery key: found ${cleaned.length} letters and digits, expected ${DIGITS}`,
    )
  }
  const bytes = fromBase32(cleaned)
  const key = bytes.subarray(0, KEY_SIZE)
  if (Buffer.compare(bytes.subarray(KEY_SIZE), checkOf(key)) !== 0) {
    throw new SyntaxError(
      'Cannot read recovery key: its check digits do not fit, one of the letters is wrong',
    )
  }
  return key
}

function checkOf(key: Uint8Array): Uint8Array {
  const digest = createHash('sha256').update('icecore recovery key').update(key).digest()
  return Uint8Array.of(digest[0] ?? 0, digest[1] ?? 0, (digest[2] ?? 0) & 0xf0)
}

function toBase32(bytes: Uint8Array): string {
  let value = BigInt(`0x${bytes.toHex()}`)
  let text = ''
  for (let index = 0; index < (bytes.byteLength * 8) / 5; index += 1) {
    text = (ALPHABET[Number(value & 31n)] ?? '') + text
    value >>= 5n
  }
  return text
}

function fromBase32(text: string): Uint8Array {
  let value = 0n
  for (const digit of text) value = (value << 5n) | BigInt(ALPHABET.indexOf(digit))
  return Uint8Array.fromHex(value.toString(16).padStart((text.length * 5) / 4, '0'))
}
