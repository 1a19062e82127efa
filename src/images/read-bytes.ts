import assert from 'node:assert/strict'
import type { FrozenImage } from '../domain/frozen-image.ts'

/** More than any structure of any format that is read at once; a length beyond it is a bug, not a large structure. */
const LENGTH_MAX_BYTES = 64 * 1024 * 1024

/**
 * The `length` bytes at `offset`, in memory of their own. Throws RangeError when they do not lie within the image:
 * an offset that was found in a damaged structure must not become a read outside.
 */
export async function readBytes(
  image: Pick<FrozenImage, 'sizeBytes' | 'readInto'>,
  offset: number,
  length: number,
): Promise<Uint8Array> {
  assert(length >= 0 && length <= LENGTH_MAX_BYTES)
  if (!Number.isSafeInteger(offset) || offset < 0 || offset + length > image.sizeBytes) {
    throw new RangeError(
      `Cannot read ${length} bytes at byte ${offset}: the image ends at byte ${image.sizeBytes}`,
    )
  }
  const bytes = new Uint8Array(length)
  if (length > 0) await image.readInto(bytes, offset)
  return bytes
}
