export function isSameUuid(first: Uint8Array, second: Uint8Array): boolean {
  return Buffer.compare(first, second) === 0
}
