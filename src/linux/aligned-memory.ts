import assert from 'node:assert/strict'

// The little that is needed of it; the declarations come with a browser's library, which is not loaded.
declare const WebAssembly: {
  readonly Memory: new (limits: {
    readonly initial: number
    readonly maximum: number
    readonly shared: true
  }) => { readonly buffer: SharedArrayBuffer }
}

const WASM_PAGE_BYTES = 65_536
/** What direct I/O needs at most: no device asks for more than a page. */
export const DIRECT_ALIGNMENT_BYTES = 4096

const alignedBuffers = new WeakSet<ArrayBufferLike>()

/**
 * Shared memory that begins at a page boundary, as direct I/O needs it; `bytes` is rounded up to 64 KiB in the
 * background, the view has the length asked for. JavaScript has no other way to such memory: an ArrayBuffer
 * begins anywhere.
 */
export function allocateAligned(bytes: number): Uint8Array<SharedArrayBuffer> {
  assert(bytes > 0)
  const pages = Math.ceil(bytes / WASM_PAGE_BYTES)
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
  alignedBuffers.add(memory.buffer)
  return new Uint8Array(memory.buffer, 0, bytes)
}

/** True when `bytes` surely begin at a multiple of `DIRECT_ALIGNMENT_BYTES`; memory of another thread: false. */
export function isAlignedMemory(bytes: Uint8Array): boolean {
  return alignedBuffers.has(bytes.buffer) && bytes.byteOffset % DIRECT_ALIGNMENT_BYTES === 0
}
