import { read } from 'node:fs'
import { promisify } from 'node:util'
import { sourceReadError, sourceShrankError } from '../linux/errno.ts'
import type { SourceAddress } from './lane-messages.ts'
import type { LaneSource } from './seal-lane.ts'

const readDescriptor = promisify(read)
/** Direct I/O reads whole sectors; what no sector size exceeds. */
const SECTOR_SIZE_MAX = 4096

/** Reads a source through a descriptor that another thread opened. */
export function descriptorSource(source: SourceAddress): LaneSource {
  return {
    sizeBytes: source.sizeBytes,
    async readInto(target, offset) {
      let at = 0
      while (at < target.byteLength) {
        const length = target.byteLength - at
        const place = { path: source.path, offset: offset + at, length }
        const count = await readOnce(source, { target, at, ...place })
        if (count === 0) throw sourceShrankError({ ...place, sizeBytes: source.sizeBytes })
        at += count
      }
    },
  }
}

async function readOnce(
  source: SourceAddress,
  piece: { target: Uint8Array; at: number; path: string; offset: number; length: number },
): Promise<number> {
  try {
    const { bytesRead } = await readDescriptor(source.fd, piece.target, piece.at, piece.length, piece.offset)
    // A short direct read must go on at a sector: bytes beyond the last whole one are read again.
    return source.direct && bytesRead < piece.length
      ? bytesRead - (bytesRead % SECTOR_SIZE_MAX) || bytesRead
      : bytesRead
  } catch (error) {
    throw sourceReadError(error, piece)
  }
}
