import { read, readSync } from 'node:fs'
import { promisify } from 'node:util'
import { sourceReadError, sourceShrankError, type IoPlace } from '../linux/errno.ts'
import { syscalls } from '../linux/syscalls.ts'
import type { DescriptorAddress } from './lane-messages.ts'
import type { LaneSource } from './seal-lane.ts'

const readDescriptor = promisify(read)
/** Direct I/O reads whole sectors; what no sector size exceeds. */
const SECTOR_SIZE_MAX = 4096

type Piece = IoPlace & { readonly target: Uint8Array; readonly at: number }

/**
 * Reads a source through a descriptor that another thread opened. Direct reads of a device wait in the background.
 * A file's are announced to the kernel, which fetches them meanwhile, and then copied at once: to hand a copy from
 * memory to another thread costs more than the copy.
 */
export function descriptorSource(source: DescriptorAddress): LaneSource {
  const kernel = source.direct ? null : syscalls()
  return {
    sizeBytes: source.sizeBytes,
    willRead(range) {
      kernel?.advise(source.fd, range, 'will-need')
    },
    async readInto(target, offset) {
      let at = 0
      while (at < target.byteLength) {
        const place = { path: source.path, offset: offset + at, length: target.byteLength - at }
        const piece = { ...place, target, at }
        const count = kernel === null ? await readOnce(source, piece) : readFileOnce(source, piece)
        if (count === 0) throw sourceShrankError({ ...place, sizeBytes: source.sizeBytes })
        at += count
      }
    },
  }
}

function readFileOnce(source: DescriptorAddress, piece: Piece): number {
  try {
    return readSync(source.fd, piece.target, piece.at, piece.length, piece.offset)
  } catch (error) {
    throw sourceReadError(error, piece)
  }
}

async function readOnce(source: DescriptorAddress, piece: Piece): Promise<number> {
  const { target, at, length, offset } = piece
  try {
    const { bytesRead } = await readDescriptor(source.fd, target, at, length, offset)
    // A short direct read must go on at a sector: bytes beyond the last whole one are read again.
    return source.direct && bytesRead < length
      ? bytesRead - (bytesRead % SECTOR_SIZE_MAX) || bytesRead
      : bytesRead
  } catch (error) {
    throw sourceReadError(error, piece)
  }
}
