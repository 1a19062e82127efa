// The hash of an attribute's entry: the kernel's "ext4 Data Structures and Algorithms", section "Extended Attributes".

/**
 * Hashes the name, then the value in words of four bytes, the last one filled with zeros. Bytes of the name beyond
 * 127 were negative to the compilers of some machines: both forms are on disks.
 */
export function attributeHash(name: Uint8Array, value: Uint8Array, bytesAre: 'signed' | 'unsigned'): number {
  let hash = 0
  for (const byte of name) {
    const character = bytesAre === 'signed' ? (byte << 24) >> 24 : byte
    hash = (hash << 5) ^ (hash >>> 27) ^ character
  }
  for (let offset = 0; offset < value.byteLength; offset += 4) {
    const word =
      (value[offset] ?? 0) |
      ((value[offset + 1] ?? 0) << 8) |
      ((value[offset + 2] ?? 0) << 16) |
      ((value[offset + 3] ?? 0) << 24)
    hash = (hash << 16) ^ (hash >>> 16) ^ word
  }
  return hash >>> 0
}

export function isAttributeHash(hash: number, name: Uint8Array, value: Uint8Array): boolean {
  return attributeHash(name, value, 'unsigned') === hash || attributeHash(name, value, 'signed') === hash
}
