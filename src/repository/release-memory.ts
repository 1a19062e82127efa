/** The size of the buffers that Node shares among many small results: those are not ours to give back. */
const SHARED_BUFFER_SIZE = Buffer.allocUnsafe(1).buffer.byteLength

/**
 * Gives the memory of a result of Node's own API back at once; `bytes` are gone. The collector would come for it
 * too, but only after some 60 MB in each thread, and a lane makes such a result for every chunk.
 */
export function releaseMemory(bytes: Uint8Array): void {
  const { buffer } = bytes
  if (buffer instanceof ArrayBuffer && buffer.byteLength !== SHARED_BUFFER_SIZE) buffer.transfer(0)
}
