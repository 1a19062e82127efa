/** The polynomial of CRC-16/ARC, bits reversed. */
const POLYNOMIAL = 0xa001

const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte
  for (let bit = 0; bit < 8; bit += 1) remainder = (remainder >>> 1) ^ (remainder & 1 ? POLYNOMIAL : 0)
  return remainder
})

/** CRC-16 of `bytes` from `start`, the register as it is: inverted neither before nor after. */
export function crc16(bytes: Uint8Array, start: number): number {
  let remainder = start
  for (let index = 0; index < bytes.length; index += 1) {
    remainder = (TABLE[(remainder ^ (bytes[index] ?? 0)) & 0xff] ?? 0) ^ (remainder >>> 8)
  }
  return remainder
}
