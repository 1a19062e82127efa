import { endOf, type Range } from '../../../domain/range.ts'
import type { InodeRun } from '../../inode-map.ts'
import { agOffsetBytes, inodeNumberInAg } from '../addresses.ts'
import type { XfsVolume } from '../volume.ts'
import { inodeChunks } from './inode-chunks.ts'

/** The inodes in use that touch `within`, as the inode B-trees of its AGs have them. */
export async function* inodeRuns(
  volume: XfsVolume,
  within: Range,
  signal: AbortSignal,
): AsyncGenerator<readonly InodeRun[]> {
  const { superblock } = volume
  const { agBlocks, blockSizeBytes, agCount, inodeSizeBytes } = superblock
  const agBytes = agBlocks * blockSizeBytes
  const lastAg = Math.min(agCount - 1, Math.floor((endOf(within) - 1) / agBytes))
  for (let agNumber = Math.floor(within.offset / agBytes); agNumber <= lastAg; agNumber += 1) {
    const start = agOffsetBytes(superblock, agNumber)
    const window = {
      first: Math.max(0, Math.floor((within.offset - start) / inodeSizeBytes)),
      end: Math.ceil((Math.min(endOf(within), start + agBytes) - start) / inodeSizeBytes),
    }
    const isWhole = window.first === 0 && endOf(within) >= start + agBytes
    for await (const chunks of inodeChunks(volume, agNumber, isWhole ? undefined : window)) {
      signal.throwIfAborted()
      const runs: InodeRun[] = []
      for (const { firstInode, inUse } of chunks) {
        for (let index = 0; index < inUse.length; index += 1) {
          const agInode = firstInode + index
          if (inUse[index] !== true || agInode < window.first || agInode >= window.end) continue
          const number = inodeNumberInAg(superblock, agNumber, agInode)
          const last = runs.at(-1)
          if (last !== undefined && last.firstNumber + last.count === number) {
            runs[runs.length - 1] = { ...last, count: last.count + 1 }
          } else {
            runs.push({ firstNumber: number, count: 1, offsetBytes: start + agInode * inodeSizeBytes })
          }
        }
      }
      if (runs.length > 0) yield runs
    }
  }
}
