import assert from 'node:assert/strict'
import type { NbdClient } from './nbd-client.ts'

const BOUNCE_BYTES = 1024 * 1024

/** Reads any bytes: what does not begin and end at a block of the export is cut out of one that does. */
export async function readAligned(client: NbdClient, target: Uint8Array, offset: number): Promise<void> {
  const { sizeBytes, blockSizes } = client.agreement
  const { minimum } = blockSizes
  const end = offset + target.byteLength
  assert(offset >= 0 && end <= sizeBytes)
  if (offset % minimum === 0 && end % minimum === 0) return await client.read(target, offset)
  let position = offset
  while (position < end) {
    const start = position - (position % minimum)
    const stop = Math.min(start + BOUNCE_BYTES, Math.ceil(end / minimum) * minimum)
    const bounce = new Uint8Array(stop - start)
    await client.read(bounce, start)
    const piece = bounce.subarray(position - start, Math.min(stop, end) - start)
    target.set(piece, position - offset)
    position += piece.byteLength
  }
}
