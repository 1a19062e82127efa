// Where inodes lie: the kernel's "ext4 Data Structures and Algorithms", section "Inode Table".
import { endOf, type Range } from '../../../domain/range.ts'
import type { InodeRun } from '../../inode-map.ts'
import type { Ext4Volume } from '../volume.ts'

/** A flag of a group: none of its inodes was ever used, and its table perhaps never written. */
const INODES_UNINITIALISED = 0x1

/** The inode tables of all groups, in the order in which they lie. */
export class InodeTables {
  readonly #volume: Ext4Volume
  readonly #groups: Uint32Array

  constructor(volume: Ext4Volume) {
    this.#volume = volume
    const { inodeTable, count } = volume.descriptors
    const table = (group: number): number => inodeTable[group] ?? 0
    this.#groups = Uint32Array.from({ length: count }, (_, group) => group).toSorted(
      (a, b) => table(a) - table(b),
    )
  }

  /** The inodes that were ever used and touch `within`: a run for each group. */
  *runs(within: Range): Generator<InodeRun> {
    const { inodeSizeBytes, inodesPerGroup } = this.#volume.superblock
    for (let index = this.#firstBehind(within.offset); index < this.#groups.length; index += 1) {
      const group = this.#groups[index] ?? 0
      const offset = this.#offsetOf(group)
      if (offset >= endOf(within)) return
      const first = Math.max(0, Math.floor((within.offset - offset) / inodeSizeBytes))
      const end = Math.min(this.#usedCount(group), Math.ceil((endOf(within) - offset) / inodeSizeBytes))
      if (offset === 0 || first >= end) continue
      yield {
        firstNumber: group * inodesPerGroup + first + 1,
        count: end - first,
        offsetBytes: offset + first * inodeSizeBytes,
      }
    }
  }

  /** The first table that ends behind `offset`. */
  #firstBehind(offset: number): number {
    const { inodesPerGroup, inodeSizeBytes } = this.#volume.superblock
    let low = 0
    let high = this.#groups.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#offsetOf(this.#groups[middle] ?? 0) + inodesPerGroup * inodeSizeBytes > offset) high = middle
      else low = middle + 1
    }
    return low
  }

  #offsetOf(group: number): number {
    return (this.#volume.descriptors.inodeTable[group] ?? 0) * this.#volume.superblock.blockSizeBytes
  }

  #usedCount(group: number): number {
    const { descriptors, superblock } = this.#volume
    if (((descriptors.flags[group] ?? 0) & INODES_UNINITIALISED) !== 0) return 0
    return Math.max(0, superblock.inodesPerGroup - (descriptors.unusedInodes[group] ?? 0))
  }
}
