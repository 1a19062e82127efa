import type { Extent, ExtentBatch } from '../../src/domain/extent.ts'

const BLOCK_BYTES = 4096
const DEVICE_BYTES = 16 * 2 ** 40
const BATCH_LENGTH = 4096

/**
 * The map of a badly fragmented image: `count` data extents of 128 KiB to 1 MiB, aligned to 4 KiB, at random places
 * of a 16 TiB device, the same every time; with `holes`, a zero extent of up to 1 MiB before each.
 */
export function* fragments(options: {
  readonly count: number
  readonly holes: boolean
}): Generator<ExtentBatch> {
  const below = xorshift(88_675_123)
  let offset = 0
  let batch: Extent[] = []
  for (let index = 0; index < options.count; index += 1) {
    if (options.holes) {
      const length = BLOCK_BYTES * (1 + below(256))
      batch.push({ kind: 'zero', offset, length })
      offset += length
    }
    const length = BLOCK_BYTES * (32 + below(225))
    const physicalOffset = BLOCK_BYTES * below(DEVICE_BYTES / BLOCK_BYTES - 256)
    batch.push({ kind: 'data', offset, length, device: 0, physicalOffset })
    offset += length
    if (batch.length < BATCH_LENGTH) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

/** Marsaglia's xorshift32: fast, and the same numbers from the same seed. */
function xorshift(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return Math.floor(((state >>> 0) / 2 ** 32) * limit)
  }
}
