import type { MemoryImage } from './memory-image.ts'
import { TEST_CHUNK_SIZE } from './in-thread-backup.ts'
import { seededRandomness } from './seeded-randomness.ts'

/** An image of `sizeBytes`: chunks of noise, of text and some of zeros; the same for the same seed. */
export function sampleImage(seed: number, sizeBytes: number): MemoryImage & { readonly bytes: Uint8Array } {
  const randomness = seededRandomness(seed)
  const bytes = new Uint8Array(sizeBytes)
  for (let offset = 0; offset < sizeBytes; offset += TEST_CHUNK_SIZE) {
    const chunk = bytes.subarray(offset, offset + TEST_CHUNK_SIZE)
    const kind = randomness.below(8)
    if (kind === 0) continue
    chunk.set(
      kind < 4 ? randomness.bytes(chunk.byteLength) : text(randomness.below(2 ** 40), chunk.byteLength),
    )
  }
  return { bytes }
}

/** The same image with other bytes in the chunks at `places`, which are never zeros. */
export function withChanges(
  image: MemoryImage,
  change: { readonly seed: number; readonly places: readonly number[] },
): MemoryImage {
  const randomness = seededRandomness(change.seed)
  const bytes = new Uint8Array(image.bytes)
  for (const place of change.places) {
    const chunk = bytes.subarray(place * TEST_CHUNK_SIZE, (place + 1) * TEST_CHUNK_SIZE)
    chunk.set(randomness.bytes(chunk.byteLength))
  }
  return { ...image, bytes }
}

function text(number: number, length: number): Uint8Array {
  return new TextEncoder().encode(`${number} frozen image `.repeat(Math.ceil(length / 14)).slice(0, length))
}
