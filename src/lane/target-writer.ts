import { read, write } from 'node:fs'
import { promisify } from 'node:util'
import { sourceReadError, targetWriteError } from '../linux/errno.ts'
import { zeroRange } from '../linux/zero-range.ts'
import type { Range } from '../domain/range.ts'

const writeDescriptor = promisify(write)
const readDescriptor = promisify(read)
/** What direct I/O needs at most. */
const ALIGNMENT = 4096

/** A file or device that the main thread holds open for writing. */
export type TargetAddress = {
  readonly path: string
  readonly kind: 'file' | 'device'
  /** Past the page cache where the file system can; else the same as `bufferedFd`. */
  readonly directFd: number
  /** For the end of an image that is no multiple of a sector. */
  readonly bufferedFd: number
  /** False: zeros take space. */
  readonly sparse: boolean
}

/** Writes verified bytes to a target. */
export type TargetWriter = {
  /** `bytes` begin at a page of aligned memory. */
  write(bytes: Uint8Array, offset: number): Promise<void>
  zero(range: Range): Promise<void>
  /** Fills `bytes` with what the target holds. */
  read(bytes: Uint8Array, offset: number): Promise<void>
}

export function targetWriter(target: TargetAddress): TargetWriter {
  const { path } = target
  return {
    async write(bytes, offset) {
      const aligned = bytes.byteLength - (bytes.byteLength % ALIGNMENT)
      try {
        await writeAll(target.directFd, bytes.subarray(0, aligned), offset)
        await writeAll(target.bufferedFd, bytes.subarray(aligned), offset + aligned)
      } catch (error) {
        throw targetWriteError(error, { path, offset, length: bytes.byteLength })
      }
    },
    async zero(range) {
      const aligned = range.length - (range.length % ALIGNMENT)
      const { kind, sparse } = target
      try {
        if (aligned > 0)
          await zeroRange(target.directFd, { ...range, length: aligned }, { kind, discard: sparse })
        await writeAll(target.bufferedFd, new Uint8Array(range.length - aligned), range.offset + aligned)
      } catch (error) {
        throw targetWriteError(error, { path, ...range })
      }
    },
    async read(bytes, offset) {
      const aligned = bytes.byteLength - (bytes.byteLength % ALIGNMENT)
      try {
        await readAll(target.directFd, bytes.subarray(0, aligned), offset)
        await readAll(target.bufferedFd, bytes.subarray(aligned), offset + aligned)
      } catch (error) {
        throw sourceReadError(error, { path, offset, length: bytes.byteLength })
      }
    },
  }
}

async function writeAll(fd: number, bytes: Uint8Array, offset: number): Promise<void> {
  let at = 0
  while (at < bytes.byteLength) {
    const { bytesWritten } = await writeDescriptor(fd, bytes, at, bytes.byteLength - at, offset + at)
    at += bytesWritten
  }
}

/** What lies beyond the end of the target counts as zeros. */
async function readAll(fd: number, bytes: Uint8Array, offset: number): Promise<void> {
  let at = 0
  while (at < bytes.byteLength) {
    const { bytesRead } = await readDescriptor(fd, bytes, at, bytes.byteLength - at, offset + at)
    if (bytesRead === 0) {
      bytes.fill(0, at)
      return
    }
    at += bytesRead
  }
}
