export function isSameBytes(first: Uint8Array, second: Uint8Array): boolean {
  if (first.byteLength !== second.byteLength) return false
  // Counted, as in crc32c(): this looks for one name among a million.
  for (let index = 0; index < first.byteLength; index += 1) {
    if (first[index] !== second[index]) return false
  }
  return true
}
