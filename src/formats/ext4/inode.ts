// One inode: the kernel's "ext4 Data Structures and Algorithms", section "Index Nodes".
import { hex } from '../hex.ts'
import type { FileKind, FileNode, FileTime } from '../file-system.ts'
import { FormatError, type StructurePlace } from '../format-error.ts'
import { ext4Checksum, ext4ChecksumOfWord } from './checksum.ts'
import { parseDeviceNumber } from './device-number.ts'
import { BLOCK_MAP_SIZE, EXTRA, FileType, INODE, INODE_SIZE, InodeFlag } from './inode-layout.ts'
import { parseInodeTime } from './inode-time.ts'
import type { Superblock } from './superblock.ts'

/** A file as ext4 has it: with what only readers of ext4 understand. */
export type Ext4Inode = FileNode & {
  readonly place: StructurePlace
  readonly flags: number
  /** The 60 bytes that are a block map, the root of an extent tree, a short link, or content. */
  readonly blockMap: Uint8Array
  /** Blocks of the file and of its attributes, in 512 bytes or, with a flag, in blocks of the file system. */
  readonly sectorCount: number
  /** 0 for none. */
  readonly attributeBlock: number
  /** What lies behind the extra fields: attributes, or nothing. */
  readonly attributeBytes: Uint8Array
  /** Where those lie on the volume. */
  readonly attributesOffsetBytes: number
  /** What the checksums of its directory blocks and extent nodes start with. */
  readonly checksumSeed: number
}

const TWO_TO_32 = 2 ** 32

const KINDS: ReadonlyMap<number, FileKind> = new Map([
  [FileType.File, 'file'],
  [FileType.Directory, 'directory'],
  [FileType.Symlink, 'symlink'],
  [FileType.BlockDevice, 'block-device'],
  [FileType.CharacterDevice, 'character-device'],
  [FileType.Fifo, 'fifo'],
  [FileType.Socket, 'socket'],
])

/** Bytes of an inode, and what is needed to understand them. */
type Source = {
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly superblock: Superblock
  readonly place: StructurePlace
  /** How many bytes of fields follow the first 128. */
  readonly extraSize: number
}

export function isFlagged(inode: Ext4Inode, flag: number): boolean {
  return (inode.flags & flag) !== 0
}

type InodeTerms = {
  readonly superblock: Superblock
  readonly place: StructurePlace
  /** Default true: false for an inode that was changed since its checksum was made. */
  readonly hasChecksum?: boolean
}

/**
 * Inode `number` of a file system. Throws FormatError when its checksum does not fit, and when it is nobody's: its
 * link count is 0 once it was deleted, or before it ever was anybody's.
 */
export function parseInode(
  bytes: Uint8Array,
  number: number,
  { superblock, place, hasChecksum = true }: InodeTerms,
): Ext4Inode {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const linkCount = view.getUint16(INODE.linkCount, true)
  if (linkCount === 0) {
    const deleted = view.getUint32(INODE.deleted, true)
    const when = deleted === 0 ? '' : `, and it was deleted at ${deleted}`
    throw new FormatError(place, `it is not in use: its link count is 0${when}`)
  }
  const extraSize = extraSizeOf(view, place)
  const source = { bytes, view, superblock, place, extraSize }
  const generation = view.getUint32(INODE.generation, true)
  const checksumSeed = superblock.features.metadataChecksums ? inodeSeed(superblock, number, generation) : 0
  if (superblock.features.metadataChecksums && hasChecksum) checkChecksum(source, checksumSeed)
  const mode = view.getUint16(INODE.mode, true)
  const kind = KINDS.get(mode & 0xf000)
  if (kind === undefined) throw new FormatError(place, `mode is 0o${mode.toString(8)}`)
  const blockMap = bytes.subarray(INODE.blockMap, INODE.blockMap + BLOCK_MAP_SIZE)
  const isDevice = kind === 'block-device' || kind === 'character-device'
  return {
    number,
    generation,
    kind,
    mode: mode & 0xfff,
    userId: view.getUint16(INODE.userIdLow, true) + view.getUint16(INODE.userIdHigh, true) * 0x10000,
    groupId: view.getUint16(INODE.groupIdLow, true) + view.getUint16(INODE.groupIdHigh, true) * 0x10000,
    sizeBytes: sizeOf(source, kind),
    linkCount,
    accessed: timeAt(source, INODE.accessed, EXTRA.accessed),
    modified: timeAt(source, INODE.modified, EXTRA.modified),
    changed: timeAt(source, INODE.changed, EXTRA.changed),
    born: hasExtra(source, EXTRA.born, 4) ? timeAt(source, EXTRA.born, EXTRA.bornExtra) : null,
    device: isDevice ? parseDeviceNumber(blockMap) : null,
    place,
    flags: view.getUint32(INODE.flags, true),
    blockMap,
    sectorCount: sectorCountOf(source),
    attributeBlock: attributeBlockOf(source),
    attributesOffsetBytes: place.offsetBytes + INODE_SIZE + extraSize,
    // Without extra fields nothing says that the room behind them is used.
    attributeBytes: bytes.subarray(extraSize === 0 ? bytes.byteLength : INODE_SIZE + extraSize),
    checksumSeed,
  }
}

/** What is wrong with the bytes of an inode, whether it is in use or not, as a sentence; null when nothing is. */
export function inodeDamage(
  bytes: Uint8Array,
  number: number,
  { superblock, place }: InodeTerms,
): string | null {
  if (!superblock.features.metadataChecksums) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  try {
    const source = { bytes, view, superblock, place, extraSize: extraSizeOf(view, place) }
    checkChecksum(source, inodeSeed(superblock, number, view.getUint32(INODE.generation, true)))
    return null
  } catch (error) {
    if (error instanceof FormatError) return error.message
    throw error
  }
}

function inodeSeed(superblock: Superblock, number: number, generation: number): number {
  return ext4ChecksumOfWord(generation, ext4ChecksumOfWord(number, superblock.checksumSeed))
}

function extraSizeOf(view: DataView, place: StructurePlace): number {
  if (view.byteLength === INODE_SIZE) return 0
  const extraSize = view.getUint16(EXTRA.size, true)
  if (INODE_SIZE + extraSize > view.byteLength || extraSize % 4 !== 0) {
    throw new FormatError(place, `extra size is ${extraSize} of ${view.byteLength - INODE_SIZE} bytes`)
  }
  return extraSize
}

function hasExtra({ extraSize }: Source, offset: number, sizeBytes: number): boolean {
  return INODE_SIZE + extraSize >= offset + sizeBytes
}

function checkChecksum(source: Source, seed: number): void {
  const { view, place } = source
  const hasHigh = hasExtra(source, EXTRA.checksumHigh, 2)
  const high = hasHigh ? view.getUint16(EXTRA.checksumHigh, true) : 0
  const found = view.getUint16(INODE.checksumLow, true) + high * 0x10000
  const whole = checksumOf(source, hasHigh, seed)
  const expected = hasHigh ? whole : whole & 0xffff
  if (found === expected) return
  throw new FormatError(place, `checksum is ${hex(found)}, expected ${hex(expected)}`)
}

/** Made when its own fields were 0. They are put in as such: a copy of each inode would be the most of what is allocated. */
function checksumOf({ bytes, view }: Source, hasHigh: boolean, seed: number): number {
  const before = ext4Checksum(bytes.subarray(0, INODE.checksumLow), seed)
  const low = ext4ChecksumOfWord(view.getUint16(INODE.checksumLow + 2, true) * 0x10000, before)
  if (!hasHigh) return ext4Checksum(bytes.subarray(INODE_SIZE), low)
  const both = ext4ChecksumOfWord(view.getUint16(EXTRA.size, true), low)
  return ext4Checksum(bytes.subarray(EXTRA.changed), both)
}

function sizeOf({ view, superblock, place }: Source, kind: FileKind): number {
  // Of a directory the high word once was something else: its ACL.
  const hasHigh = kind === 'file' || superblock.features.largeDirectories
  const high = hasHigh ? view.getUint32(INODE.sizeHigh, true) : 0
  const size = view.getUint32(INODE.sizeLow, true) + high * TWO_TO_32
  if (!Number.isSafeInteger(size)) throw new FormatError(place, `size is ${size}, expected less than 2^53`)
  return size
}

function sectorCountOf({ view, superblock }: Source): number {
  const high = superblock.features.hugeFiles ? view.getUint16(INODE.sectorCountHigh, true) : 0
  return view.getUint32(INODE.sectorCountLow, true) + high * TWO_TO_32
}

function attributeBlockOf({ view, superblock }: Source): number {
  const high = superblock.features.bits64 ? view.getUint16(INODE.attributeBlockHigh, true) : 0
  return view.getUint32(INODE.attributeBlockLow, true) + high * TWO_TO_32
}

function timeAt(source: Source, offset: number, extraOffset: number): FileTime {
  const extra = hasExtra(source, extraOffset, 4) ? source.view.getUint32(extraOffset, true) : 0
  return parseInodeTime(source.view.getUint32(offset, true), extra)
}

/** Blocks in which content lies but that nobody can read without the key, or with a method that is long gone. */
export function unreadableContent(inode: Ext4Inode): string | null {
  if (isFlagged(inode, InodeFlag.Encrypted)) return `encrypted ${inode.kind}`
  if (isFlagged(inode, InodeFlag.Compressed) && inode.kind === 'file') return 'e2compr-compressed file'
  return null
}
