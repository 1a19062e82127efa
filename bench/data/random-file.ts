import { closeSync, openSync, writeSync } from 'node:fs'
import type { SeededStream } from './seeded-stream.ts'

/** Writes `sizeBytes` that do not compress to `path`. */
export function writeRandomFile(path: string, sizeBytes: number, stream: SeededStream): number {
  const block = Buffer.alloc(2 ** 20)
  const file = openSync(path, 'w')
  try {
    for (let writtenBytes = 0; writtenBytes < sizeBytes; writtenBytes += block.length) {
      stream.fill(block)
      writeSync(file, block, 0, Math.min(block.length, sizeBytes - writtenBytes))
    }
  } finally {
    closeSync(file)
  }
  return sizeBytes
}
