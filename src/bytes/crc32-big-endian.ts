/** The polynomial of CRC-32, the highest bit first (IEEE 802.3). */
const POLYNOMIAL = 0x04c11db7

const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte << 24
  for (let bit = 0; bit < 8; bit += 1) remainder = (remainder << 1) ^ (remainder < 0 ? POLYNOMIAL : 0)
  return remainder
})

/** CRC-32 with the highest bit first, from `start`, the register as it is: inverted neither before nor after. */
export function crc32BigEndian(bytes: Uint8Array, start: number): number {
  let remainder = start | 0
  for (let index = 0; index < bytes.length; index += 1) {
    remainder = (TABLE[(remainder >>> 24) ^ (bytes[index] ?? 0)] ?? 0) ^ (remainder << 8)
  }
  return remainder >>> 0
}
