// Block group descriptors, from the kernel's "ext4 Data Structures and Algorithms", section "Block Group Descriptors".
import { hex } from '../hex.ts'
import type { FrozenImage } from '../../domain/frozen-image.ts'
import { readBytes } from '../../images/read-bytes.ts'
import type { Finding } from '../finding.ts'
import { UnmappedError } from '../format-error.ts'

import { CHECKSUM_OFFSET, descriptorChecksum } from './descriptor-checksum.ts'
import {
  descriptorBackupBlock,
  descriptorBlock,
  descriptorBlockCount,
  descriptorsPerBlock,
  firstBackupGroup,
  groupFirstBlock,
} from './group-layout.ts'
import type { Superblock } from './superblock.ts'

/** A flag of a group: its block bitmap was never written. Flags mean nothing without checksums, and are 0 there. */
export const BLOCKS_UNINITIALISED = 0x2

/** Where a descriptor was read from. */
export const FROM_PRIMARY = 0
/** Backups are written when a file system is made or grown, never after: their counts and flags are old. */
export const FROM_BACKUP = 1
/** Neither copy is sound: where the group's bitmaps lie is not known. */
export const UNREADABLE = 2

/** 512 TiB in groups of 128 MiB, in 200 MB of memory. */
const GROUP_COUNT_MAX = 2 ** 22
const TWO_TO_32 = 2 ** 32

/** The descriptors of all groups, a column for each field: a file system of 16 TiB has 131,072 groups. */
export class GroupDescriptors {
  readonly count: number
  readonly blockBitmap: Float64Array
  readonly inodeBitmap: Float64Array
  /** Of an unreadable one, what the damaged copy says when that is possible, as inodes are checked on their own; or 0. */
  readonly inodeTable: Float64Array
  /** In clusters, which are blocks but for bigalloc. */
  readonly freeClusters: Uint32Array
  readonly freeInodes: Uint32Array
  /** At the end of the inode table, never used and perhaps never written. */
  readonly unusedInodes: Uint32Array
  readonly flags: Uint16Array
  /** Of 32 bits, or of 16 where descriptors have 32 bytes. */
  readonly blockBitmapChecksum: Uint32Array
  readonly inodeBitmapChecksum: Uint32Array
  /** FROM_PRIMARY, FROM_BACKUP or UNREADABLE. */
  readonly source: Uint8Array

  constructor(count: number) {
    this.count = count
    this.blockBitmap = new Float64Array(count)
    this.inodeBitmap = new Float64Array(count)
    this.inodeTable = new Float64Array(count)
    this.freeClusters = new Uint32Array(count)
    this.freeInodes = new Uint32Array(count)
    this.unusedInodes = new Uint32Array(count)
    this.flags = new Uint16Array(count)
    this.blockBitmapChecksum = new Uint32Array(count)
    this.inodeBitmapChecksum = new Uint32Array(count)
    this.source = new Uint8Array(count)
  }
}

/**
 * Reads the descriptors of all groups, each from its backup when the primary copy is damaged, and reports that.
 * Throws only what the image throws, and UnmappedError for more groups than fit in memory.
 */
export async function readGroupDescriptors(
  image: FrozenImage,
  superblock: Superblock,
  report: (finding: Finding) => void,
): Promise<GroupDescriptors> {
  if (superblock.groupCount > GROUP_COUNT_MAX) {
    throw new UnmappedError(
      `ext4 of ${superblock.groupCount} groups`,
      `Cannot map ext4 file system: it has ${superblock.groupCount} groups, limit is ${GROUP_COUNT_MAX}`,
    )
  }
  const reader = new DescriptorReader(image, superblock, report)
  const blockCount = descriptorBlockCount(superblock)
  // Blocks that lie one after the other are read at once, up to a megabyte.
  const blocksAtOnceMax = Math.max(1, (1024 * 1024) / superblock.blockSizeBytes)
  let index = 0
  while (index < blockCount) {
    const first = descriptorBlock(superblock, index)
    let count = 1
    while (
      count < blocksAtOnceMax &&
      index + count < blockCount &&
      descriptorBlock(superblock, index + count) === first + count
    ) {
      count += 1
    }
    await reader.read(index, count)
    index += count
  }
  return reader.descriptors
}

class DescriptorReader {
  readonly descriptors: GroupDescriptors
  readonly #image: FrozenImage
  readonly #superblock: Superblock
  readonly #report: (finding: Finding) => void
  /** The one that is looked at: with views of its own for each of 100,000, somebody would have to find a lot of garbage. */
  readonly #descriptor: Uint8Array
  readonly #view: DataView

  constructor(image: FrozenImage, superblock: Superblock, report: (finding: Finding) => void) {
    this.#descriptor = new Uint8Array(superblock.descriptorSizeBytes)
    this.#view = new DataView(this.#descriptor.buffer)
    this.#image = image
    this.#superblock = superblock
    this.#report = report
    this.descriptors = new GroupDescriptors(superblock.groupCount)
  }

  /** Reads `count` blocks of descriptors that lie one after the other, the first of them block `index`. */
  async read(index: number, count: number): Promise<void> {
    const superblock = this.#superblock
    const perBlock = descriptorsPerBlock(superblock)
    const firstBlock = descriptorBlock(superblock, index)
    const firstGroup = index * perBlock
    const endGroup = Math.min(superblock.groupCount, (index + count) * perBlock)
    const bytes = await this.#readBlocks(firstBlock, count)
    for (let group = firstGroup; group < endGroup; group += 1) {
      const start = (group - firstGroup) * superblock.descriptorSizeBytes
      const isThere = this.#take(bytes, start)
      const wrong = isThere ? this.#whatIsWrong(group) : 'it lies beyond the end of the image'
      if (wrong === null) {
        storeDescriptor(this.descriptors, group, { superblock, view: this.#view })
        continue
      }
      if (isThere) this.#keepInodeTable(group)
      const usesBackup = await this.#readBackup(group)
      this.#report({
        structure: `ext4 group descriptor ${group}`,
        offsetBytes: firstBlock * superblock.blockSizeBytes + start,
        found: `${wrong}; ${usesBackup ? 'its backup is used' : 'its backup is not sound either'}`,
      })
    }
  }

  /** Makes the descriptor at `start` the one that is looked at; false when it is not there as a whole. */
  #take(bytes: Uint8Array | null, start: number): boolean {
    const end = start + this.#descriptor.byteLength
    if (bytes === null || end > bytes.byteLength) return false
    this.#descriptor.set(bytes.subarray(start, end))
    return true
  }

  #whatIsWrong(group: number): string | null {
    const superblock = this.#superblock
    const checksum = this.#view.getUint16(CHECKSUM_OFFSET, true)
    const expected = descriptorChecksum(superblock, group, this.#descriptor)
    if (expected !== null && checksum !== expected)
      return `checksum is ${hex(checksum)}, expected ${hex(expected)}`
    return whatIsWrongOfPlaces(superblock, group, placesOf(superblock, this.#view))
  }

  /** Of a damaged one, unless its backup is sound. */
  #keepInodeTable(group: number): void {
    const superblock = this.#superblock
    const { inodeTable } = placesOf(superblock, this.#view)
    const count = inodeTableBlockCount(superblock)
    if (!isInside(superblock, group, { block: inodeTable, count })) return
    this.descriptors.inodeTable[group] = inodeTable
  }

  async #readBackup(group: number): Promise<boolean> {
    const superblock = this.#superblock
    const { source } = this.descriptors
    source[group] = UNREADABLE
    const backupGroup = firstBackupGroup(superblock)
    const perBlock = descriptorsPerBlock(superblock)
    const index = Math.floor(group / perBlock)
    const block = backupGroup === null ? null : descriptorBackupBlock(superblock, index, backupGroup)
    const bytes = block === null ? null : await this.#readBlocks(block, 1)
    if (bytes === null) return false
    const isThere = this.#take(bytes, (group % perBlock) * superblock.descriptorSizeBytes)
    if (!isThere || this.#whatIsWrong(group) !== null) return false
    storeDescriptor(this.descriptors, group, { superblock, view: this.#view })
    source[group] = FROM_BACKUP
    return true
  }

  async #readBlocks(block: number, count: number): Promise<Uint8Array | null> {
    const { blockSizeBytes } = this.#superblock
    if ((block + count) * blockSizeBytes <= this.#image.sizeBytes) {
      return await readBytes(this.#image, block * blockSizeBytes, count * blockSizeBytes)
    }
    // An image that was cut off may still hold the first of them.
    const available = Math.max(0, Math.floor(this.#image.sizeBytes / blockSizeBytes) - block)
    if (available === 0) return null
    const bytes = new Uint8Array(count * blockSizeBytes)
    bytes.set(await readBytes(this.#image, block * blockSizeBytes, available * blockSizeBytes))
    return bytes
  }
}

/** What is wrong with what a descriptor points to, as the end of a sentence; null when nothing is. */
function whatIsWrongOfPlaces(
  superblock: Superblock,
  group: number,
  { blockBitmap, inodeBitmap, inodeTable }: Places,
): string | null {
  if (!isInside(superblock, group, { block: blockBitmap, count: 1 })) {
    return `its block bitmap is block ${blockBitmap}`
  }
  if (!isInside(superblock, group, { block: inodeBitmap, count: 1 })) {
    return `its inode bitmap is block ${inodeBitmap}`
  }
  if (!isInside(superblock, group, { block: inodeTable, count: inodeTableBlockCount(superblock) })) {
    return `its inode table begins at block ${inodeTable}`
  }
  // What is in a block that is two things is neither's for sure.
  const tableEnd = inodeTable + inodeTableBlockCount(superblock)
  if (blockBitmap === inodeBitmap) return `block ${blockBitmap} is its block bitmap and its inode bitmap`
  for (const bitmap of [blockBitmap, inodeBitmap]) {
    if (bitmap >= inodeTable && bitmap < tableEnd)
      return `block ${bitmap} is a bitmap of it and in its inode table`
  }
  return null
}

function isInside(
  superblock: Superblock,
  group: number,
  run: { readonly block: number; readonly count: number },
): boolean {
  const anywhere = superblock.features.flexibleBlockGroups
  const first = anywhere ? superblock.firstDataBlock : groupFirstBlock(superblock, group)
  const end = anywhere
    ? superblock.blockCount
    : Math.min(superblock.blockCount, first + superblock.blocksPerGroup)
  return run.block >= first && run.block + run.count <= end
}

/** The blocks that the inodes of a group occupy. */
export function inodeTableBlockCount(superblock: Superblock): number {
  return Math.ceil((superblock.inodesPerGroup * superblock.inodeSizeBytes) / superblock.blockSizeBytes)
}

type Places = { readonly blockBitmap: number; readonly inodeBitmap: number; readonly inodeTable: number }

function placesOf(superblock: Superblock, view: DataView): Places {
  const has64Bits = superblock.features.bits64
  const at = (low: number, high: number): number =>
    view.getUint32(low, true) + (has64Bits ? view.getUint32(high, true) * TWO_TO_32 : 0)
  return { blockBitmap: at(0x0, 0x20), inodeBitmap: at(0x4, 0x24), inodeTable: at(0x8, 0x28) }
}

function storeDescriptor(
  descriptors: GroupDescriptors,
  group: number,
  { superblock, view }: { readonly superblock: Superblock; readonly view: DataView },
): void {
  const has64Bits = superblock.features.bits64
  const count = (low: number, high: number): number =>
    view.getUint16(low, true) + (has64Bits ? view.getUint16(high, true) * 0x10000 : 0)
  const places = placesOf(superblock, view)
  const hasChecksums = superblock.features.metadataChecksums || superblock.features.groupChecksums
  descriptors.blockBitmap[group] = places.blockBitmap
  descriptors.inodeBitmap[group] = places.inodeBitmap
  descriptors.inodeTable[group] = places.inodeTable
  descriptors.freeClusters[group] = count(0xc, 0x2c)
  descriptors.freeInodes[group] = count(0xe, 0x2e)
  descriptors.unusedInodes[group] = hasChecksums ? count(0x1c, 0x32) : 0
  descriptors.flags[group] = hasChecksums ? view.getUint16(0x12, true) : 0
  descriptors.blockBitmapChecksum[group] = count(0x18, 0x38)
  descriptors.inodeBitmapChecksum[group] = count(0x1a, 0x3a)
}
