import { closeSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { HostFile } from './host-files.ts'
import type { SeededStream } from './seeded-stream.ts'

const SLICE_SIZE_BYTES = 512
const SAMPLE_SIZE_BYTES_MAX = 64 * 2 ** 20

/**
 * Stands in where the host has too little of something: files of shuffled 512-byte slices of the host's own
 * files. They compress about as their origins do, and no chunk of them equals another.
 */
export function writeShuffledSlices(
  folder: string,
  files: readonly HostFile[],
  options: { readonly budgetBytes: number; readonly fileSizeBytesMax: number; readonly stream: SeededStream },
): number {
  const { budgetBytes, fileSizeBytesMax, stream } = options
  const sample = sampleOf(files)
  const sliceCount = Math.floor(sample.length / SLICE_SIZE_BYTES)
  if (sliceCount === 0) return 0
  mkdirSync(folder, { recursive: true })
  let writtenBytes = 0
  for (let fileIndex = 0; writtenBytes < budgetBytes; fileIndex += 1) {
    const slices = 1 + stream.below(Math.ceil(fileSizeBytesMax / SLICE_SIZE_BYTES))
    const content = Buffer.alloc(slices * SLICE_SIZE_BYTES)
    for (let slice = 0; slice < slices; slice += 1) {
      const start = stream.below(sliceCount) * SLICE_SIZE_BYTES
      sample.copy(content, slice * SLICE_SIZE_BYTES, start, start + SLICE_SIZE_BYTES)
    }
    writtenBytes += writeSlices(folder, fileIndex, content)
  }
  return writtenBytes
}

function writeSlices(folder: string, fileIndex: number, content: Buffer): number {
  // A thousand files a folder, as people and programs keep them; not a hundred thousand.
  const subfolder = join(folder, String(Math.floor(fileIndex / 1000)))
  mkdirSync(subfolder, { recursive: true })
  const file = openSync(join(subfolder, `${fileIndex}.bin`), 'w')
  try {
    return writeSync(file, content)
  } finally {
    closeSync(file)
  }
}

function sampleOf(files: readonly HostFile[]): Buffer {
  const sample = Buffer.alloc(SAMPLE_SIZE_BYTES_MAX)
  let length = 0
  for (const { path } of files) {
    if (length === sample.length) break
    const file = openSync(path, 'r')
    try {
      length += readSync(file, sample, length, sample.length - length, 0)
    } finally {
      closeSync(file)
    }
  }
  return sample.subarray(0, length)
}
