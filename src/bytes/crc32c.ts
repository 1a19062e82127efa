/** The Castagnoli polynomial, bits reversed (RFC 3720, section 12.1). */
const POLYNOMIAL = 0x82f63b78

const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte
  for (let bit = 0; bit < 8; bit += 1) remainder = (remainder >>> 1) ^ (remainder & 1 ? POLYNOMIAL : 0)
  return remainder
})

/** CRC-32C of `bytes`; `previous` is the CRC-32C of what lies before them. */
export function crc32c(bytes: Uint8Array, previous = 0): number {
  let remainder = ~previous
  // Counted, not `for … of`: nearly twice as fast. The fallbacks are for the compiler: no index is ever outside.
  for (let index = 0; index < bytes.length; index += 1) {
    remainder = (TABLE[(remainder ^ (bytes[index] ?? 0)) & 0xff] ?? 0) ^ (remainder >>> 8)
  }
  return ~remainder >>> 0
}
