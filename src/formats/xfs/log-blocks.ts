import { readBytes } from '../../images/read-bytes.ts'
import { fsBlockOffsetBytes } from './addresses.ts'
import { LOG_BLOCK_BYTES, LOG_RECORD_MAGIC } from './log-layout.ts'
import type { XfsVolume } from './volume.ts'

/** The log as a ring of blocks of 512 bytes. */
export type LogRing = {
  readonly blockCount: number
  /** From block `first` on, around the end if need be. */
  read(first: number, blockCount: number): Promise<Uint8Array>
  /** In which round the block was written last; 0 when never. */
  cycleAt(block: number): Promise<number>
}

/** Null when the log lies on another device. */
export function logRing({ image, superblock }: XfsVolume): LogRing | null {
  const { startFsBlock, blockCount: fsBlocks } = superblock.log
  if (startFsBlock === null) return null
  const place = { structure: 'XFS superblock', offsetBytes: 0 }
  const start = fsBlockOffsetBytes(superblock, startFsBlock, place)
  const blockCount = (fsBlocks * superblock.blockSizeBytes) / LOG_BLOCK_BYTES
  const read = async (first: number, count: number): Promise<Uint8Array> => {
    const bytes = new Uint8Array(count * LOG_BLOCK_BYTES)
    const untilEnd = Math.min(count, blockCount - first)
    bytes.set(await readBytes(image, start + first * LOG_BLOCK_BYTES, untilEnd * LOG_BLOCK_BYTES))
    if (untilEnd < count) {
      bytes.set(
        await readBytes(image, start, (count - untilEnd) * LOG_BLOCK_BYTES),
        untilEnd * LOG_BLOCK_BYTES,
      )
    }
    return bytes
  }
  const cycleAt = async (block: number): Promise<number> => cycleIn(await read(block, 1), 0)
  return { blockCount, read, cycleAt }
}

/** The cycle of the `index`th of the blocks. */
export function cycleIn(blocks: Uint8Array, index: number): number {
  const view = new DataView(blocks.buffer, blocks.byteOffset + index * LOG_BLOCK_BYTES, LOG_BLOCK_BYTES)
  const first = view.getUint32(0)
  return first === LOG_RECORD_MAGIC ? view.getUint32(4) : first
}

export function isHeaderIn(blocks: Uint8Array, index: number): boolean {
  return (
    new DataView(blocks.buffer, blocks.byteOffset + index * LOG_BLOCK_BYTES, 4).getUint32(0) ===
    LOG_RECORD_MAGIC
  )
}
