/**
 * A number from 0 to 1 that follows from a path alone, evenly spread: FNV-1a, and a last mixing of its bits (the
 * finalizer of MurmurHash3). It decides where bins and chunks end, so that they end at the same files whatever comes
 * before them. Readers do not need it.
 */
export function pathShare(key: Uint8Array, seed: number): number {
  let hash = 0x811c9dc5 ^ seed
  for (const byte of key) hash = Math.imul(hash ^ byte, 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}
