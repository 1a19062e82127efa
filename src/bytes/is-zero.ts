/** Whether there is nothing but zeros. */
export function isZero(bytes: Uint8Array): boolean {
  const { buffer, byteOffset, byteLength } = bytes
  // Four at once, of a disk's edges there are many; what is not aligned is not worth the trouble.
  const wordCount = byteOffset % 4 === 0 ? Math.floor(byteLength / 4) : 0
  const words = new Uint32Array(buffer, wordCount === 0 ? 0 : byteOffset, wordCount)
  for (let index = 0; index < wordCount; index += 1) if (words[index] !== 0) return false
  for (let index = wordCount * 4; index < byteLength; index += 1) if (bytes[index] !== 0) return false
  return true
}
