// Where the structures of an ext2, ext3 or ext4 lie, and how their checksums are made: the kernel's "ext4 Data
// Structures and Algorithms", section "Checksums".
import { ext4Checksum, littleEndian32 } from '../../../src/formats/ext4/checksum.ts'
import { blockBitmapChecksum, descriptorChecksum } from '../../../src/formats/ext4/descriptor-checksum.ts'
import { descriptorBlock, descriptorsPerBlock } from '../../../src/formats/ext4/group-layout.ts'
import { parseSuperblock, type Superblock } from '../../../src/formats/ext4/superblock.ts'
import {
  attributeBlockFields,
  descriptorFields,
  directoryFields,
  extentFields,
  inodeFields,
  superblockFields,
} from '../fields/ext4-fields.ts'
import { FieldList } from '../field-list.ts'
import { rewrite, viewOf, type Field, type LocalStructure, type Target } from '../structure.ts'
import { directoryMender, extentNodeMender, inodeMender, inodeSeed } from './mend-ext4.ts'
import { findJournal } from './find-ext4-journal.ts'

const SUPERBLOCK_OFFSET = 1024
const EXTENTS_FLAG = 0x80000
const INLINE_FLAG = 0x10000000
const DIRECTORY = 0x4000
const JOURNAL_INODE = 8
const BLOCKS_OF_FILE_MAX = 64

type FieldFinder = (bytes: Uint8Array) => readonly Field[]

const FIELDS: Readonly<Record<string, FieldFinder>> = {
  superblock: superblockFields,
  descriptor: descriptorFields,
  inode: inodeFields,
  'extent node': (bytes) => extentFields(bytes),
  'directory block': directoryFields,
  'attribute block': attributeBlockFields,
  'indirect block': ({ byteLength }) =>
    new FieldList('little').addRow('child', { at: 0, width: 4, count: byteLength / 4 }).all(),
}
/** Of blocks of which every one is read. A superblock may say that it has no checksum. */
const CHECKED = new Set(['descriptor', 'extent node', 'directory block', 'attribute block'])

export function findExt4(target: Target): LocalStructure[] {
  const place = { structure: 'superblock', offsetBytes: SUPERBLOCK_OFFSET }
  const superblock = parseSuperblock(target.read(SUPERBLOCK_OFFSET, 1024), place)
  return new Finder(target, superblock).all()
}

class Finder {
  readonly #target: Target
  readonly #superblock: Superblock
  readonly #found: LocalStructure[] = []

  constructor(target: Target, superblock: Superblock) {
    this.#target = target
    this.#superblock = superblock
  }

  all(): LocalStructure[] {
    this.#add('superblock', { offset: SUPERBLOCK_OFFSET, length: 1024 }, (target) =>
      rewrite(target, { offset: SUPERBLOCK_OFFSET, length: 1024 }, (bytes, view) =>
        view.setUint32(0x3fc, ext4Checksum(bytes.subarray(0, 0x3fc)), true),
      ),
    )
    for (let group = 0; group < this.#superblock.groupCount; group += 1) this.#group(group)
    return this.#found
  }

  #add(kind: string, run: { offset: number; length: number }, mend: LocalStructure['mend']): void {
    const { blockSizeBytes: blockBytes, features } = this.#superblock
    const fields = FIELDS[kind]
    // The checksum of a node of hashes is not of the room behind them.
    const isWhole =
      kind !== 'directory block' || this.#target.read(run.offset + run.length - 5, 1)[0] === 0xde
    const isChecked = features.metadataChecksums && CHECKED.has(kind) && isWhole
    this.#found.push({
      kind,
      ...run,
      blockBytes,
      isChecked,
      ...(fields === undefined ? {} : { fields }),
      mend,
    })
  }

  #group(group: number): void {
    const superblock = this.#superblock
    const { blockSizeBytes, descriptorSizeBytes: length, inodesPerGroup, inodeSizeBytes } = superblock
    const perBlock = descriptorsPerBlock(superblock)
    const block = descriptorBlock(superblock, Math.floor(group / perBlock))
    const offset = block * blockSizeBytes + (group % perBlock) * length
    const mendDescriptor = (target: Target): void =>
      rewrite(target, { offset, length }, (bytes, view) => {
        const checksum = descriptorChecksum(superblock, group, bytes)
        if (checksum !== null) view.setUint16(0x1e, checksum, true)
      })
    this.#add('descriptor', { offset, length }, mendDescriptor)
    const view = viewOf(this.#target.read(offset, length))
    const bitmap = view.getUint32(0, true) * blockSizeBytes
    this.#add('block bitmap', { offset: bitmap, length: blockSizeBytes }, (target) => {
      const checksum = blockBitmapChecksum(superblock, target.read(bitmap, blockSizeBytes))
      if (checksum === null) return
      rewrite(target, { offset, length }, (_, descriptor) => {
        descriptor.setUint16(0x18, checksum & 0xffff, true)
        if (length >= 0x3a) descriptor.setUint16(0x38, checksum >>> 16, true)
      })
      mendDescriptor(target)
    })
    const table = view.getUint32(8, true) * blockSizeBytes
    for (let index = 0; index < inodesPerGroup; index += 1) {
      this.#inode(table + index * inodeSizeBytes, group * inodesPerGroup + index + 1)
    }
  }

  #inode(offset: number, number: number): void {
    const superblock = this.#superblock
    const bytes = this.#target.read(offset, superblock.inodeSizeBytes)
    const view = viewOf(bytes)
    const mode = view.getUint16(0, true)
    if (mode === 0) return
    const run = { offset, length: superblock.inodeSizeBytes }
    this.#add('inode', run, inodeMender(superblock, number, run))
    const seed = inodeSeed(superblock, number, view.getUint32(0x64, true))
    const attributes = view.getUint32(0x68, true)
    if (attributes !== 0) this.#attributes(attributes)
    const flags = view.getUint32(0x20, true)
    if ((flags & INLINE_FLAG) !== 0) return
    const blocks: number[] = []
    if ((flags & EXTENTS_FLAG) === 0) this.#indirect(view, blocks)
    else this.#extents(viewOf(bytes.subarray(0x28, 0x64)), seed, blocks)
    if (number === JOURNAL_INODE) this.#found.push(...findJournal(this.#target, blocks, superblock))
    if ((mode & 0xf000) !== DIRECTORY) return
    for (const block of blocks) {
      const at = { offset: block * superblock.blockSizeBytes, length: superblock.blockSizeBytes }
      this.#add('directory block', at, directoryMender(superblock, seed, at))
    }
  }

  #attributes(block: number): void {
    const superblock = this.#superblock
    const run = { offset: block * superblock.blockSizeBytes, length: superblock.blockSizeBytes }
    this.#add('attribute block', run, (target) => {
      if (!superblock.features.metadataChecksums) return
      rewrite(target, run, (bytes, view) => {
        view.setUint32(16, 0)
        const ofBlock = ext4Checksum(
          littleEndian32(0),
          ext4Checksum(littleEndian32(block), superblock.checksumSeed),
        )
        view.setUint32(16, ext4Checksum(bytes, ofBlock), true)
      })
    })
  }

  #extents(node: DataView, seed: number, blocks: number[]): void {
    if (node.getUint16(0, true) !== 0xf30a) return
    const count = node.getUint16(2, true)
    const depth = node.getUint16(6, true)
    for (let index = 0; index < count; index += 1) {
      const at = 12 + index * 12
      if (depth === 0) {
        const length = Math.min(node.getUint16(at + 4, true), BLOCKS_OF_FILE_MAX)
        for (let block = 0; block < length; block += 1) blocks.push(node.getUint32(at + 8, true) + block)
        continue
      }
      const { blockSizeBytes } = this.#superblock
      const run = { offset: node.getUint32(at + 4, true) * blockSizeBytes, length: blockSizeBytes }
      this.#add('extent node', run, extentNodeMender(this.#superblock, seed, run))
      this.#extents(viewOf(this.#target.read(run.offset, run.length)), seed, blocks)
    }
  }

  #indirect(inode: DataView, blocks: number[]): void {
    const { blockSizeBytes } = this.#superblock
    for (let index = 0; index < 15; index += 1) {
      const block = inode.getUint32(0x28 + index * 4, true)
      if (block === 0 || (block + 1) * blockSizeBytes > this.#target.sizeBytes) continue
      if (index < 12) blocks.push(block)
      else this.#add('indirect block', { offset: block * blockSizeBytes, length: blockSizeBytes }, () => {})
    }
  }
}
