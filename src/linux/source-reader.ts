import assert from 'node:assert/strict'
import type { FileHandle } from 'node:fs/promises'
import { allocateAligned, DIRECT_ALIGNMENT_BYTES, isAlignedMemory } from './aligned-memory.ts'
import { BounceBuffers, BounceMemory } from './bounce-buffers.ts'
import { sourceReadError, sourceShrankError } from './errno.ts'

const BOUNCE_BYTES = 1024 * 1024
/** However many reads are asked for at once: the others wait for their turn. */
const BOUNCES_MAX = 16

/** Of all readers of this thread: an agent opens its disks again with every run. */
const memory = new BounceMemory({ sizeBytes: BOUNCE_BYTES, allocate: allocateAligned })

export type SourceReader = {
  /**
   * Fills `target` with the bytes at `offset`. Throws SOURCE_READ_FAILED with the place that the system failed
   * at, SOURCE_SHRANK when the source ends earlier.
   */
  readInto(target: Uint8Array, offset: number): Promise<void>
}

export type ReaderOptions = { readonly path: string; readonly sizeBytes: number; readonly direct: boolean }

/** Reads any bytes into any memory; what direct I/O cannot take as it is goes through aligned memory. */
export function sourceReader(handle: FileHandle, options: ReaderOptions): SourceReader {
  const bounces = new BounceBuffers(memory, BOUNCES_MAX)

  async function readInto(target: Uint8Array, offset: number): Promise<void> {
    assert(offset >= 0 && offset + target.byteLength <= options.sizeBytes)
    if (!options.direct || isDirectRequest(target, offset)) {
      await readFully(handle, target, { ...options, offset })
      return
    }
    await bounces.with((bounce) => readThrough(bounce, target, offset))
  }

  async function readThrough(bounce: Uint8Array, target: Uint8Array, offset: number): Promise<void> {
    let done = 0
    while (done < target.byteLength) {
      const wanted = offset + done
      const start = wanted - (wanted % DIRECT_ALIGNMENT_BYTES)
      const end = Math.min(start + BOUNCE_BYTES, roundUp(offset + target.byteLength), options.sizeBytes)
      await readFully(handle, bounce.subarray(0, end - start), { ...options, offset: start })
      const piece = bounce.subarray(wanted - start, Math.min(end, offset + target.byteLength) - start)
      target.set(piece, done)
      done += piece.byteLength
    }
  }

  return { readInto }
}

function isDirectRequest(target: Uint8Array, offset: number): boolean {
  return (
    isAlignedMemory(target) &&
    offset % DIRECT_ALIGNMENT_BYTES === 0 &&
    target.byteLength % DIRECT_ALIGNMENT_BYTES === 0
  )
}

function roundUp(offset: number): number {
  return Math.ceil(offset / DIRECT_ALIGNMENT_BYTES) * DIRECT_ALIGNMENT_BYTES
}

type ReadPlace = { readonly path: string; readonly offset: number; readonly sizeBytes: number }

async function readFully(handle: FileHandle, target: Uint8Array, place: ReadPlace): Promise<void> {
  const { path } = place
  let done = 0
  while (done < target.byteLength) {
    const offset = place.offset + done
    const length = target.byteLength - done
    let bytesRead: number
    try {
      bytesRead = (await handle.read(target, done, length, offset)).bytesRead
    } catch (error) {
      throw sourceReadError(error, { path, offset, length })
    }
    if (bytesRead === 0) throw sourceShrankError({ path, offset, sizeBytes: place.sizeBytes })
    done += bytesRead
  }
}
