/**
 * ASN.1 in its Distinguished Encoding Rules (ITU-T X.690), as much as certificates need: a tag, a length in as few bytes as
 * it takes, the content.
 */
export const DerTag = {
  Boolean: 0x01,
  Integer: 0x02,
  BitString: 0x03,
  OctetString: 0x04,
  ObjectId: 0x06,
  Utf8String: 0x0c,
  UtcTime: 0x17,
  GeneralizedTime: 0x18,
  Sequence: 0x30,
  Set: 0x31,
} as const

const CONTEXT = 0x80
const CONSTRUCTED = 0x20

/** The tag `[number]` of content that is a value of its own (`EXPLICIT`, or `IMPLICIT` of a sequence). */
export function contextTag(number: number): number {
  return CONTEXT | CONSTRUCTED | number
}

/** The tag `[number]` in the place of that of a plain value (`IMPLICIT`). */
export function plainContextTag(number: number): number {
  return CONTEXT | number
}

export function der(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat(content)
  return Buffer.concat([Uint8Array.of(tag), lengthOf(body.length), body])
}

export function sequence(...content: readonly Uint8Array[]): Uint8Array {
  return der(DerTag.Sequence, ...content)
}

/** A number that is not negative, most significant byte first. */
export function unsignedInteger(bytes: Uint8Array): Uint8Array {
  const first = bytes.findIndex((byte) => byte !== 0)
  const digits = first < 0 ? Uint8Array.of(0) : bytes.subarray(first)
  // The highest bit would make it negative.
  const sign = (digits[0] ?? 0) >= 0x80 ? [Uint8Array.of(0)] : []
  return der(DerTag.Integer, ...sign, digits)
}

export function smallInteger(value: number): Uint8Array {
  const digits = value.toString(16)
  return unsignedInteger(Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex'))
}

/** Such as `2.5.29.15`. */
export function objectId(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const groups = [first * 40 + second, ...rest].map((part) => {
    const bytes = [part & 0x7f]
    for (let left = part >>> 7; left > 0; left >>>= 7) bytes.unshift((left & 0x7f) | 0x80)
    return bytes
  })
  return der(DerTag.ObjectId, Uint8Array.from(groups.flat()))
}

export function utf8String(text: string): Uint8Array {
  return der(DerTag.Utf8String, Buffer.from(text, 'utf8'))
}

/** `unusedBits` at its end belong to no flag. */
export function bitString(bytes: Uint8Array, unusedBits = 0): Uint8Array {
  return der(DerTag.BitString, Uint8Array.of(unusedBits), bytes)
}

/** To the second, as certificates have it (RFC 5280, 4.1.2.5): two digits of the year until 2049, four from then on. */
export function derTime(ms: number): Uint8Array {
  const instant = Temporal.Instant.fromEpochMilliseconds(Math.floor(ms / 1000) * 1000).toString()
  const digits = instant.replaceAll(/[-T:]/g, '')
  return digits < '2050'
    ? der(DerTag.UtcTime, Buffer.from(digits.slice(2), 'latin1'))
    : der(DerTag.GeneralizedTime, Buffer.from(digits, 'latin1'))
}

function lengthOf(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length)
  const digits = length.toString(16)
  const bytes = Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex')
  return Buffer.concat([Uint8Array.of(0x80 | bytes.length), bytes])
}
