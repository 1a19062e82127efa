// Where groups, and the copies of the superblock and of the descriptors, lie: the kernel's "ext4 Data Structures and
// Algorithms", sections "Layout", "Meta Block Groups" and "Block Group Descriptors".
import type { Superblock } from './superblock.ts'

/** The number of the first block of a group. */
export function groupFirstBlock(superblock: Superblock, group: number): number {
  return superblock.firstDataBlock + group * superblock.blocksPerGroup
}

/** How many blocks a group has: the last one may be shorter. */
export function groupBlockCount(superblock: Superblock, group: number): number {
  return Math.min(superblock.blocksPerGroup, superblock.blockCount - groupFirstBlock(superblock, group))
}

/** Whether a group begins with the superblock or a backup of it. */
export function hasSuperblock(superblock: Superblock, group: number): boolean {
  if (group === 0) return true
  const { features, backupGroups } = superblock
  if (features.sparseSuper2) return backupGroups.includes(group)
  if (!features.sparseSuper || group === 1) return true
  return isPowerOf(3, group) || isPowerOf(5, group) || isPowerOf(7, group)
}

function isPowerOf(base: number, value: number): boolean {
  let power = base
  while (power < value) power *= base
  return power === value
}

export function descriptorsPerBlock(superblock: Superblock): number {
  return superblock.blockSizeBytes / superblock.descriptorSizeBytes
}

export function descriptorBlockCount(superblock: Superblock): number {
  return Math.ceil(superblock.groupCount / descriptorsPerBlock(superblock))
}

/** Those that lie together behind every superblock; the others lie in their meta block groups. */
export function descriptorBlocksBehindSuperblock(superblock: Superblock): number {
  const count = descriptorBlockCount(superblock)
  return superblock.features.metaBlockGroups ? Math.min(superblock.firstMetaBlockGroup, count) : count
}

/** The block that holds the superblock of a group, given that it has one. */
export function superblockBlock(superblock: Superblock, group: number): number {
  const first = groupFirstBlock(superblock, group)
  // Byte 1024 is in block 1 of 1 KiB, also when block 0 belongs to group 0, as it does with bigalloc.
  return group === 0 && superblock.blockSizeBytes === 1024 ? 1 : first
}

/** The block in which block `index` of the descriptors lies, as the primary superblock has it. */
export function descriptorBlock(superblock: Superblock, index: number): number {
  if (index < descriptorBlocksBehindSuperblock(superblock)) return superblockBlock(superblock, 0) + 1 + index
  return metaDescriptorBlock(superblock, index * descriptorsPerBlock(superblock))
}

/**
 * Where else block `index` of the descriptors lies, nearest first, given what the superblock says; null when there
 * is no such copy. Only some backups matter: they hold the same.
 */
export function descriptorBackupBlock(
  superblock: Superblock,
  index: number,
  backupGroup: number,
): number | null {
  if (index < descriptorBlocksBehindSuperblock(superblock)) {
    return superblockBlock(superblock, backupGroup) + 1 + index
  }
  const second = index * descriptorsPerBlock(superblock) + 1
  return second < superblock.groupCount ? metaDescriptorBlock(superblock, second) : null
}

/** The block of descriptors of a group that has one: first, second and last of each meta block group. */
export function metaDescriptorBlock(superblock: Superblock, group: number): number {
  if (!hasSuperblock(superblock, group)) return groupFirstBlock(superblock, group)
  return superblockBlock(superblock, group) + 1
}

/** The lowest group, but for 0, that has backups of superblock and descriptors; null when there is none. */
export function firstBackupGroup(superblock: Superblock): number | null {
  if (!superblock.features.sparseSuper2) return superblock.groupCount > 1 ? 1 : null
  const groups = superblock.backupGroups.filter((group) => group > 0 && group < superblock.groupCount)
  return groups.length === 0 ? null : Math.min(...groups)
}
