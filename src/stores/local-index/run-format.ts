import { crc32 } from 'node:zlib'
import { Magic } from '../../repository/magic.ts'
import { SEGMENT_ENTRY_SIZE } from '../../repository/index-segment.ts'

/**
 * A run: index entries of one or several segments, sorted by id, in a local file that can be thrown away.
 *
 *   header   4,096 bytes: magic, then u32le each: version 1, entries, blocks, packs, sources, CRC-32 of the tail
 *   blocks   4,096 bytes each: up to 85 entries of 48 bytes; at 4,080 the count, u32le; at 4,084 the CRC-32 of all before
 *   tail     fences: the first six bytes of each block's first id, as a float64le;
 *            then pack ids, 32 bytes each; then the ids of the segments that went into it, 32 bytes each
 *
 * A look-up searches the fences in memory (8 bytes for 85 chunks), then reads one block.
 */
export const RUN_BLOCK_SIZE = 4096
export const ENTRIES_PER_BLOCK = 85
const VERSION = 1
const COUNT_AT = 4080
const CRC_AT = 4084

export type RunHeader = {
  readonly entryCount: number
  readonly blockCount: number
  readonly packCount: number
  readonly sourceCount: number
  readonly tailCrc: number
}

export function tailSizeOf(header: RunHeader): number {
  return header.blockCount * 8 + (header.packCount + header.sourceCount) * 32
}

export function encodeRunHeader(header: RunHeader): Uint8Array {
  const bytes = new Uint8Array(RUN_BLOCK_SIZE)
  const view = new DataView(bytes.buffer)
  bytes.set(Uint8Array.fromHex(Magic.LocalIndexRun))
  const fields = [
    VERSION,
    header.entryCount,
    header.blockCount,
    header.packCount,
    header.sourceCount,
    header.tailCrc,
  ]
  for (const [index, value] of fields.entries()) view.setUint32(8 + index * 4, value, true)
  return bytes
}

/** Null when the bytes are not a run's header: the file is then made anew. */
export function parseRunHeader(bytes: Uint8Array): RunHeader | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.subarray(0, 8).toHex() !== Magic.LocalIndexRun || view.getUint32(8, true) !== VERSION) return null
  return {
    entryCount: view.getUint32(12, true),
    blockCount: view.getUint32(16, true),
    packCount: view.getUint32(20, true),
    sourceCount: view.getUint32(24, true),
    tailCrc: view.getUint32(28, true),
  }
}

/** Completes a block that holds `count` entries. */
export function sealRunBlock(block: Uint8Array, count: number): void {
  const view = new DataView(block.buffer, block.byteOffset, RUN_BLOCK_SIZE)
  block.fill(0, count * SEGMENT_ENTRY_SIZE, RUN_BLOCK_SIZE)
  view.setUint32(COUNT_AT, count, true)
  view.setUint32(CRC_AT, crc32(block.subarray(0, CRC_AT)), true)
}

/** The number of entries of a block, or null when it is damaged. */
export function entriesInBlock(block: Uint8Array): number | null {
  const view = new DataView(block.buffer, block.byteOffset, RUN_BLOCK_SIZE)
  const count = view.getUint32(COUNT_AT, true)
  if (count < 1 || count > ENTRIES_PER_BLOCK) return null
  return view.getUint32(CRC_AT, true) === crc32(block.subarray(0, CRC_AT)) ? count : null
}

/** The first six bytes of an id, as a number that keeps their order. */
export function fenceOf(bytes: Uint8Array, at: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, 6)
  return view.getUint32(0, false) * 65_536 + view.getUint16(4, false)
}
