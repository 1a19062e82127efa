// Stores of classic snapshots, built from the public definition of the format: to have one written takes a kernel with
// device-mapper.

export type SnapshotStoreDraft = {
  /** Default 4096. */
  readonly chunkSizeBytes?: number
  /** Chunks of the origin, in the order in which they were copied. */
  readonly originChunks: readonly number[]
  /** Of the whole store; by default the next area has room. */
  readonly chunkCount?: number
}

/** Where the copy of exception number `index` lies when chunks are used one after the other, as the kernel does. */
export function copyChunk(index: number, perArea: number): number {
  return 2 + index + Math.floor(index / perArea)
}

/** An exception store; the copies are zeros. */
export function storeBytes({
  chunkSizeBytes = 4096,
  originChunks,
  chunkCount,
}: SnapshotStoreDraft): Uint8Array<ArrayBuffer> {
  const perArea = chunkSizeBytes / 16
  const last = copyChunk(originChunks.length, perArea)
  const bytes = new Uint8Array((chunkCount ?? last + 2) * chunkSizeBytes)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, 0x70416e53, true)
  view.setUint32(4, 1, true)
  view.setUint32(8, 1, true)
  view.setUint32(12, chunkSizeBytes / 512, true)
  for (const [index, originChunk] of originChunks.entries()) {
    const area = Math.floor(index / perArea)
    const at = (1 + area * (perArea + 1)) * chunkSizeBytes + (index % perArea) * 16
    view.setBigUint64(at, BigInt(originChunk), true)
    view.setBigUint64(at + 8, BigInt(copyChunk(index, perArea)), true)
  }
  return bytes
}
