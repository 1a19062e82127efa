import assert from 'node:assert/strict'

/** What direct I/O needs at most: no device asks for more than a page. */
export const DIRECT_ALIGNMENT_BYTES = 4096

const alignedBuffers = new WeakSet<ArrayBufferLike>()

/**
 * Shared memory that begins at a page boundary, as direct I/O needs it. JavaScript has no word for that: memory that might
 * grow gets pages of its own, where all other memory begins anywhere. That of WebAssembly does too, but each takes 10 GiB
 * of addresses, of which a process has room for few. Who lets go of it does not get it back soon: use it again.
 */
export function allocateAligned(bytes: number): Uint8Array<SharedArrayBuffer> {
  assert(bytes > 0)
  const memory = new SharedArrayBuffer(bytes, { maxByteLength: bytes })
  alignedBuffers.add(memory)
  return new Uint8Array(memory, 0, bytes)
}

/** True when `bytes` surely begin at a multiple of `DIRECT_ALIGNMENT_BYTES`; memory of another thread: false. */
export function isAlignedMemory(bytes: Uint8Array): boolean {
  return alignedBuffers.has(bytes.buffer) && bytes.byteOffset % DIRECT_ALIGNMENT_BYTES === 0
}
