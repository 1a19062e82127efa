// The rules that the sizes of a superblock keep. All arithmetic on addresses relies on them.
import { FormatError, type StructurePlace } from '../format-error.ts'
import type { RawSuperblock } from './superblock.ts'

const AG_BLOCKS_MIN = 64
/** An allocation group is at most 1 TiB. */
const AG_BYTES_MAX = 2 ** 40
const DIRECTORY_BLOCK_LOG_MAX = 16

type Rule = readonly [holds: boolean, found: string]

/** Throws FormatError for the first rule that is broken. */
export function requireGeometry(raw: RawSuperblock, place: StructurePlace): void {
  for (const rules of [sizeRules, countRules, logRules]) {
    for (const [holds, found] of rules(raw)) if (!holds) throw new FormatError(place, found)
  }
}

function sizeRules(raw: RawSuperblock): readonly Rule[] {
  return [
    powerRule('block size', { size: raw.blockSize, log: raw.blockLog, low: 9, high: 16 }),
    powerRule('sector size', { size: raw.sectorSize, log: raw.sectorLog, low: 9, high: 15 }),
    powerRule('inode size', { size: raw.inodeSize, log: raw.inodeLog, low: 8, high: 11 }),
    [raw.sectorSize <= raw.blockSize, `sector size is ${raw.sectorSize}, block size is ${raw.blockSize}`],
    [raw.inodeSize <= raw.blockSize, `inode size is ${raw.inodeSize}, block size is ${raw.blockSize}`],
    [
      raw.inodesPerBlockLog === raw.blockLog - raw.inodeLog &&
        raw.inodesPerBlock === 2 ** raw.inodesPerBlockLog,
      `${raw.inodesPerBlock} (2^${raw.inodesPerBlockLog}) inodes per block, which do not fit its sizes`,
    ],
    [
      raw.blockLog + raw.directoryBlockLog <= DIRECTORY_BLOCK_LOG_MAX,
      `directory blocks are 2^${raw.directoryBlockLog} blocks, more than 64 KiB`,
    ],
  ]
}

function countRules(raw: RawSuperblock): readonly Rule[] {
  const { agBlocks, agCount, dataBlocks } = raw
  const groups = `${agCount} allocation groups of ${agBlocks} blocks`
  return [
    [
      agBlocks >= AG_BLOCKS_MIN && agBlocks * raw.blockSize <= AG_BYTES_MAX,
      `allocation groups of ${agBlocks} blocks, expected 64 blocks to 1 TiB`,
    ],
    [raw.agBlockLog === Math.ceil(Math.log2(agBlocks)), `${groups}, but 2^${raw.agBlockLog} of them at most`],
    [agCount >= 1, 'it has no allocation group'],
    [
      dataBlocks <= agCount * agBlocks && dataBlocks > (agCount - 1) * agBlocks,
      `${dataBlocks} blocks do not fit ${groups}`,
    ],
    [Number.isSafeInteger(dataBlocks * raw.blockSize), `${dataBlocks} blocks are more than 2^53 bytes`],
  ]
}

function logRules(raw: RawSuperblock): readonly Rule[] {
  const agNumber = Math.floor(raw.logStart / 2 ** raw.agBlockLog)
  const agBlock = raw.logStart % 2 ** raw.agBlockLog
  const firstBlock = agNumber * raw.agBlocks + agBlock
  const isInside = agBlock + raw.logBlocks <= raw.agBlocks && firstBlock + raw.logBlocks <= raw.dataBlocks
  const { logSectorSize, logSectorLog } = raw
  return [
    [raw.logStart === 0 || raw.logBlocks > 0, 'its log has no blocks'],
    [raw.logStart === 0 || isInside, `its log, ${raw.logBlocks} blocks at ${raw.logStart}, lies outside`],
    [
      logSectorSize === 0 || (logSectorSize === 2 ** logSectorLog && logSectorLog >= 9 && logSectorLog <= 15),
      `log sector size is ${logSectorSize} (2^${logSectorLog})`,
    ],
  ]
}

type Power = { readonly size: number; readonly log: number; readonly low: number; readonly high: number }

function powerRule(name: string, { size, log, low, high }: Power): Rule {
  const holds = log >= low && log <= high && size === 2 ** log
  return [holds, `${name} is ${size} (2^${log}), expected 2^${low} to 2^${high}`]
}
