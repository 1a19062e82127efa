/** The polynomial of Ethernet and zlib, bits reversed (RFC 1952, section 8). */
const POLYNOMIAL = 0xedb88320

const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte
  for (let bit = 0; bit < 8; bit += 1) remainder = (remainder >>> 1) ^ (remainder & 1 ? POLYNOMIAL : 0)
  return remainder
})

/** CRC-32 of `bytes`; `previous` is the CRC-32 of what lies before them. */
export function crc32(bytes: Uint8Array, previous = 0): number {
  let remainder = ~previous
  for (let index = 0; index < bytes.length; index += 1) {
    remainder = (TABLE[(remainder ^ (bytes[index] ?? 0)) & 0xff] ?? 0) ^ (remainder >>> 8)
  }
  return ~remainder >>> 0
}
