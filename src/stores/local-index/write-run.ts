import { closeSync, openSync, renameSync, writeSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { SEGMENT_ENTRY_SIZE } from '../../repository/index-segment.ts'
import { encodeRunHeader, ENTRIES_PER_BLOCK, fenceOf, RUN_BLOCK_SIZE, sealRunBlock } from './run-format.ts'

/** Blocks that go to the file in one write. */
const WRITE_BLOCKS = 64

/** What a run is made of: ascending entries of 48 bytes, whose pack numbers index `packIds`. */
export type RunContents = {
  readonly packIds: readonly string[]
  /** The segments whose entries these are. */
  readonly sources: readonly string[]
  /** Pieces of whole entries. */
  readonly entries: Iterable<Uint8Array>
}

/** Writes a run under a temporary name and renames it. Memory: the fences, 8 bytes for 85 entries. */
export function writeRun(path: string, contents: RunContents): void {
  const partial = `${path}.${process.pid}.partial`
  const file = openSync(partial, 'w', 0o600)
  try {
    const { fences, entryCount } = writeBlocks(file, contents.entries)
    const ids = [...contents.packIds, ...contents.sources].join('')
    const tail = Buffer.concat([new Uint8Array(Float64Array.from(fences).buffer), Buffer.from(ids, 'hex')])
    writeSync(file, tail, 0, tail.byteLength, (1 + fences.length) * RUN_BLOCK_SIZE)
    const header = encodeRunHeader({
      entryCount,
      blockCount: fences.length,
      packCount: contents.packIds.length,
      sourceCount: contents.sources.length,
      tailCrc: crc32(tail),
    })
    writeSync(file, header, 0, header.byteLength, 0)
  } finally {
    closeSync(file)
  }
  renameSync(partial, path)
}

function writeBlocks(file: number, pieces: Iterable<Uint8Array>): { fences: number[]; entryCount: number } {
  const buffer = new Uint8Array(WRITE_BLOCKS * RUN_BLOCK_SIZE)
  const fences: number[] = []
  let entryCount = 0
  let inBlock = 0
  let buffered = 0
  const endBlock = (): void => {
    sealRunBlock(buffer.subarray(buffered * RUN_BLOCK_SIZE, (buffered + 1) * RUN_BLOCK_SIZE), inBlock)
    buffered += 1
    inBlock = 0
    if (buffered === WRITE_BLOCKS) flush()
  }
  const flush = (): void => {
    const at = (1 + fences.length - buffered) * RUN_BLOCK_SIZE
    if (buffered > 0) writeSync(file, buffer, 0, buffered * RUN_BLOCK_SIZE, at)
    buffered = 0
  }
  for (const piece of pieces) {
    for (let at = 0; at < piece.byteLength; at += SEGMENT_ENTRY_SIZE) {
      if (inBlock === 0) fences.push(fenceOf(piece, at))
      const entry = piece.subarray(at, at + SEGMENT_ENTRY_SIZE)
      buffer.set(entry, buffered * RUN_BLOCK_SIZE + inBlock * SEGMENT_ENTRY_SIZE)
      inBlock += 1
      entryCount += 1
      if (inBlock === ENTRIES_PER_BLOCK) endBlock()
    }
  }
  if (inBlock > 0) endBlock()
  flush()
  return { fences, entryCount }
}
