import { closeSync, fsyncSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { seededStream } from './seeded-stream.ts'

const SPARSE_IMAGE_SIZE_BYTES = 2 ** 40
const ISLAND_COUNT = 64
const ISLAND_SIZE_BYTES = 128 * 1024

/** A file of 1 TiB that is a hole but for 8 MiB of random bytes in 64 places. */
export function writeSparseImage(path: string, seed: string): void {
  const stream = seededStream(`${seed}/sparse`)
  const island = Buffer.alloc(ISLAND_SIZE_BYTES)
  const file = openSync(path, 'w')
  try {
    ftruncateSync(file, SPARSE_IMAGE_SIZE_BYTES)
    for (let index = 0; index < ISLAND_COUNT; index += 1) {
      stream.fill(island)
      const places = SPARSE_IMAGE_SIZE_BYTES / ISLAND_COUNT / ISLAND_SIZE_BYTES
      const offset = (index * places + stream.below(places)) * ISLAND_SIZE_BYTES
      writeSync(file, island, 0, island.length, offset)
    }
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
