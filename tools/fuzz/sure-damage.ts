import type { Randomness } from '../../src/domain/randomness.ts'
import { readField, writeField } from './field-value.ts'
import type { Field, Structure } from './structure.ts'

type Ways = {
  readonly ones?: readonly string[]
  readonly zero?: readonly string[]
  readonly end?: readonly string[]
  readonly swap?: readonly string[]
}

const EXTENTS = ['extentMagic', 'extentCount', 'extentMax', 'extentDepth', 'extentLength', 'extentStart']
const SELF = ['magic', 'ownBlock', 'owner']

/**
 * Fields of which a reader has to notice that all their bits are ones or zeros, that they name the first block behind the
 * image, or that two of them changed places.
 */
const SURE: Readonly<Record<string, Ways>> = {
  'ext4 superblock': {
    ones: [
      'inodeCount',
      'blockCountLow',
      'logBlockSize',
      'blocksPerGroup',
      'inodesPerGroup',
      'magic',
      'incompatible',
    ],
    zero: ['inodeCount', 'blockCountLow', 'blocksPerGroup', 'inodesPerGroup', 'magic', 'inodeSize'],
  },
  'ext4 descriptor': {
    end: ['blockBitmap', 'inodeTable'],
    ones: ['blockBitmap', 'inodeTable'],
    zero: ['blockBitmap', 'inodeTable'],
  },
  'ext4 inode': { ones: [...EXTENTS, 'valueSize', 'listEnd'], zero: ['extentMagic', 'extentStart'] },
  'ext4 directory block': { ones: ['entryInode', 'entryLength'], zero: ['entryLength'] },
  'ext4 journal superblock': { ones: ['magic', 'blockSizeBytes', 'blockCount', 'firstBlock'] },
  'ext4 attribute block': {
    ones: ['magic', 'blockCount', 'nameLength', 'valueOffset', 'valueSize', 'listEnd'],
    zero: ['magic', 'blockCount'],
  },
  'ext4 extent node': {
    ones: [...EXTENTS, 'childLow'],
    zero: ['extentMagic', 'extentStart'],
    swap: ['extentLogical', 'childLow'],
    end: ['extentStart', 'childLow'],
  },
  'xfs AGF': {
    ones: [
      'magic',
      'agNumber',
      'length',
      'byBlockRoot',
      'bySizeRoot',
      'byBlockLevels',
      'freeListLast',
      'freeBlocks',
    ],
    zero: ['magic', 'length', 'byBlockRoot', 'bySizeRoot', 'byBlockLevels', 'freeListCount', 'longestFree'],
  },
  'xfs AGFL': { ones: ['magic', 'agNumber'] },
  'xfs free space block': { ones: [...SELF, 'level', 'count', 'record'], zero: ['count'], swap: ['record'] },
  'xfs symlink block': { ones: [...SELF, 'partOffset', 'partBytes'] },
  'xfs remote attribute': { ones: [...SELF, 'partOffset', 'partBytes'] },
  'xfs directory block': {
    ones: [...SELF, 'entryNameLength', 'entryTag', 'leafCount'],
    zero: ['entryNameLength', 'freeBytes'],
  },
  'xfs short directory inode': {
    ones: ['number', 'shortCount', 'shortNameLength'],
    zero: ['magic', 'number', 'shortCount'],
  },
  'xfs inode': { ones: ['number', 'rootCount', 'rootChild'], zero: ['magic', 'number'] },
  'xfs attribute leaf': {
    ones: [...SELF, 'count', 'nameOffset', 'valueBytes', 'nameBytes'],
    zero: ['nameOffset'],
  },
  'xfs extent tree block': {
    ones: [...SELF, 'level', 'count', 'extentHigh', 'extentLow'],
    zero: ['count'],
    swap: ['extentHigh'],
  },
  'lvm2 label': { ones: ['sector', 'headerOffset', 'area'], zero: ['headerOffset'] },
  'lvm2 area header': { ones: ['version', 'start', 'size'], zero: ['version', 'start', 'size'] },
  'dm-thin superblock': {
    ones: ['magic', 'version', 'mappingRoot', 'dataBlockSectors', 'metadataBlockSectors'],
    end: ['mappingRoot'],
    zero: ['magic', 'version', 'mappingRoot', 'dataBlockSectors'],
  },
  'dm-thin node': {
    ones: ['flags', 'entryCount', 'entryCountMax', 'valueBytes', 'blockNumber', 'key', 'value'],
    swap: ['key'],
  },
  'dm-snapshot header': {
    ones: ['magic', 'version', 'chunkSectors'],
    zero: ['magic', 'version', 'chunkSectors'],
  },
  'gpt header': {
    ones: ['signature', 'headerBytes', 'own', 'entries', 'entryCount', 'entryBytes'],
    end: ['own', 'entries'],
    zero: ['headerBytes', 'own', 'entries', 'entryCount', 'entryBytes'],
  },
  'gpt entries': { end: ['last'], ones: ['last'], zero: ['first'] },
  'file-set header': {
    ones: ['version', 'chunkSizeBytes', 'imageSizeBytes', 'indexOffset', 'indexSizeBytes', 'binCount'],
    zero: ['version', 'chunkSizeBytes', 'imageSizeBytes', 'indexOffset', 'indexSizeBytes', 'binCount'],
  },
  'file-set bin': { ones: ['entryCount', 'entriesSizeBytes'], zero: ['entryCount', 'entriesSizeBytes'] },
}

export function hasSureDamage({ kind, isRead }: Structure): boolean {
  return isRead && SURE[kind] !== undefined
}

/** Damages a field so that it must be noticed. Returns what was done; null when there is nothing of that kind to do. */
export function damageSurely(
  bytes: Uint8Array,
  { structure, sizeBytes }: { readonly structure: Structure; readonly sizeBytes: number },
  random: Randomness,
): string | null {
  const ways = Object.entries(SURE[structure.kind] ?? {})
  const all = ways.flatMap(([way, names]) => names.map((name) => [way, name] as const))
  const [way, name] = all[random.below(all.length)] ?? ['', '']
  const named = structure.fields.filter((field) => field.name === name)
  const field = named[random.below(named.length)]
  if (field === undefined) return null
  const values: Readonly<Record<string, bigint>> = {
    ones: -1n,
    zero: 0n,
    end: BigInt(Math.floor(sizeBytes / structure.blockBytes)),
  }
  const isDone = way === 'swap' ? swapWithNext(bytes, named, field) : change(bytes, field, values[way] ?? 0n)
  return isDone ? `${field.name} at byte ${field.at} (${way})` : null
}

function change(bytes: Uint8Array, field: Field, value: bigint): boolean {
  const old = readField(bytes, field)
  writeField(bytes, field, value)
  return readField(bytes, field) !== old
}

function swapWithNext(bytes: Uint8Array, named: readonly Field[], field: Field): boolean {
  const next = named[named.indexOf(field) + 1]
  if (next === undefined) return false
  const [first, second] = [readField(bytes, field), readField(bytes, next)]
  writeField(bytes, field, second)
  writeField(bytes, next, first)
  return first !== second
}
