import type { Kind } from '../base.ts'

/** A check of a reader, and what is there when it is forgotten. */
export type PlantedBug = {
  /** Within src/formats. */
  readonly file: string
  /** Is there once. */
  readonly check: string
  readonly instead: string
  /** Those that the file is of use for. */
  readonly kinds: readonly Kind[]
}

const EXT4 = ['ext4', 'stack'] as const
const LVM2 = ['lvm2', 'stack'] as const
const THIN = ['dm-thin', 'stack'] as const

/** One check each, of counts, sizes, places, depths and cycles, without which damage does harm. */
export const PLANTED_BUGS: readonly PlantedBug[] = [
  { file: 'ext4/extent-node.ts', kinds: EXT4, check: ' || capacity > room) {', instead: ') {' },
  { file: 'ext4/directory-block.ts', kinds: EXT4, check: 'recordSize < RECORD_SIZE_MIN || ', instead: '' },
  { file: 'ext4/extent-tree.ts', kinds: EXT4, check: 'fileBlock < this.#position || ', instead: '' },
  {
    file: 'ext4/extent-tree.ts',
    kinds: EXT4,
    check: 'requireBlocks(superblock, { firstBlock, blockCount }, leaf.place)',
    instead: '',
  },
  {
    file: 'ext4/attribute-entries.ts',
    kinds: EXT4,
    check: ' && valueStart + valueSizeBytes > bytes.byteLength) {',
    instead: ' && valueStart < 0) {',
  },
  {
    file: 'ext4/group-descriptors.ts',
    kinds: EXT4,
    check: 'if (!isInside(superblock, group, { block: blockBitmap, count: 1 }))',
    instead: 'if (superblock.blockCount < 0)',
  },
  {
    file: 'xfs/btree-block.ts',
    kinds: ['xfs'],
    check: 'if (foundLevel !== level)',
    instead: 'if (foundLevel < 0)',
  },
  {
    file: 'xfs/directory/data-block.ts',
    kinds: ['xfs'],
    check: ' || offset + length > view.byteLength',
    instead: '',
  },
  {
    file: 'xfs/attributes/leaf.ts',
    kinds: ['xfs'],
    check: 'if (end > bytes.byteLength)',
    instead: 'if (end < 0)',
  },
  { file: 'xfs/extent-list.ts', kinds: ['xfs'], check: 'startBlock < nextBlock || ', instead: '' },
  {
    file: 'xfs/directory/short-form.ts',
    kinds: ['xfs'],
    check: 'if (end > bytes.byteLength)',
    instead: 'if (end < 0)',
  },
  {
    file: 'gpt/read-copy.ts',
    kinds: ['gpt', 'stack'],
    check: ' || header.entriesLba + sectorCount > sectors.count',
    instead: '',
  },
  {
    file: 'arrange-partitions.ts',
    kinds: ['mbr'],
    check: 'if (firstSector + sectorCount <= diskSectorCount) return true',
    instead: 'if (firstSector <= diskSectorCount) return true',
  },
  {
    file: 'lvm2/segment-references.ts',
    kinds: LVM2,
    check: 'if (depth > DEPTH_MAX)',
    instead: 'if (depth < 0)',
  },
  { file: 'lvm2/metadata-area.ts', kinds: LVM2, check: ' || text.offset >= area.sizeBytes', instead: '' },
  {
    file: 'lvm2/segment-references.ts',
    kinds: LVM2,
    check: 'if (endExtent > extentCount)',
    instead: 'if (endExtent < 0)',
  },
  {
    file: 'dm-thin/tree-node.ts',
    kinds: THIN,
    check: 'if (entryCountMax > room)',
    instead: 'if (entryCountMax < 0)',
  },
  {
    file: 'dm-thin/load-nodes.ts',
    kinds: THIN,
    check: 'if (ref.block >= limits.blockCount)',
    instead: 'if (ref.block < 0)',
  },
  {
    file: 'dm-thin/mapping-runs.ts',
    kinds: THIN,
    check: 'if (dataBlock < limit.end)',
    instead: 'if (dataBlock >= 0)',
  },
  {
    file: 'dm-snapshot/stored-exceptions.ts',
    kinds: ['dm-snapshot', 'stack'],
    check: 'storeChunk >= storeChunkCount || ',
    instead: '',
  },
  {
    file: 'file-set/bin-reader.ts',
    kinds: ['file-set'],
    check: 'if (bin.chunkCount > room)',
    instead: 'if (bin.chunkCount < 0)',
  },
  {
    file: 'file-set/catalogue-index.ts',
    kinds: ['file-set'],
    check: ' && this.#end <= this.#chunkCount',
    instead: '',
  },
  {
    file: 'ext4/journal/recover-volume.ts',
    kinds: ['ext4'],
    check: 'if (superblock.blockCount > file.blockCount)',
    instead: 'if (superblock.blockCount < 0)',
  },
]
