// One inode: the kernel's "ext4 Data Structures and Algorithms", section "Index Nodes".
import { readStruct, type StructValues } from '../../bytes/struct.ts'
import type { FileKind, FileNode, FileTime } from '../file-system.ts'
import { FormatError, type StructurePlace } from '../format-error.ts'
import { ext4Checksum, hexadecimal, littleEndian32 } from './checksum.ts'
import { parseDeviceNumber } from './device-number.ts'
import { EXTRA, FileType, INODE, INODE_SIZE, InodeFlag } from './inode-layout.ts'
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

type Fields = StructValues<typeof INODE>

export function isFlagged(inode: Ext4Inode, flag: number): boolean {
  return (inode.flags & flag) !== 0
}

/**
 * Inode `number` of a file system. Throws FormatError when its checksum does not fit, and when it is nobody's: its
 * link count is 0 once it was deleted, or before it ever was anybody's.
 */
export function parseInode(
  bytes: Uint8Array,
  number: number,
  { superblock, place }: { readonly superblock: Superblock; readonly place: StructurePlace },
): Ext4Inode {
  const fields = readStruct(INODE, bytes)
  if (fields.linkCount === 0) {
    const deleted = fields.deleted === 0 ? '' : `, and it was deleted at ${fields.deleted}`
    throw new FormatError(place, `it is not in use: its link count is 0${deleted}`)
  }
  const extraSize = extraSizeOf(bytes, place)
  const checksumSeed = ext4Checksum(
    littleEndian32(fields.generation),
    ext4Checksum(littleEndian32(number), superblock.checksumSeed),
  )
  if (superblock.features.metadataChecksums) {
    checkChecksum(bytes, { fields, extraSize, checksumSeed, place })
  }
  const kind = KINDS.get(fields.mode & 0xf000)
  if (kind === undefined) throw new FormatError(place, `mode is 0o${fields.mode.toString(8)}`)
  return {
    number,
    generation: fields.generation,
    kind,
    mode: fields.mode & 0xfff,
    userId: fields.userIdLow + fields.userIdHigh * 0x10000,
    groupId: fields.groupIdLow + fields.groupIdHigh * 0x10000,
    sizeBytes: sizeOf(fields, kind, { superblock, place }),
    linkCount: fields.linkCount,
    ...timesOf(bytes, fields, extraSize),
    device:
      kind === 'block-device' || kind === 'character-device' ? parseDeviceNumber(fields.blockMap) : null,
    place,
    flags: fields.flags,
    blockMap: fields.blockMap,
    sectorCount:
      fields.sectorCountLow + (superblock.features.hugeFiles ? fields.sectorCountHigh * TWO_TO_32 : 0),
    attributeBlock:
      fields.attributeBlockLow + (superblock.features.bits64 ? fields.attributeBlockHigh * TWO_TO_32 : 0),
    // Without extra fields nothing says that the room behind them is used.
    attributesOffsetBytes: place.offsetBytes + INODE_SIZE + extraSize,
    attributeBytes: bytes.subarray(extraSize === 0 ? bytes.byteLength : INODE_SIZE + extraSize),
    checksumSeed,
  }
}

/** How many bytes of fields follow the first 128. */
function extraSizeOf(bytes: Uint8Array, place: StructurePlace): number {
  if (bytes.byteLength === INODE_SIZE) return 0
  const extraSize = new DataView(bytes.buffer, bytes.byteOffset).getUint16(EXTRA.size, true)
  if (INODE_SIZE + extraSize > bytes.byteLength || extraSize % 4 !== 0) {
    throw new FormatError(place, `extra size is ${extraSize} of ${bytes.byteLength - INODE_SIZE} bytes`)
  }
  return extraSize
}

function checkChecksum(
  bytes: Uint8Array,
  context: {
    readonly fields: Fields
    readonly extraSize: number
    readonly checksumSeed: number
    readonly place: StructurePlace
  },
): void {
  const { fields, extraSize, checksumSeed, place } = context
  const hasHigh = INODE_SIZE + extraSize >= EXTRA.checksumHigh + 2
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const high = hasHigh ? view.getUint16(EXTRA.checksumHigh, true) : 0
  const found = fields.checksumLow + high * 0x10000
  const zeroed = bytes.slice()
  zeroed.fill(0, INODE.checksumLow[0], INODE.checksumLow[0] + 2)
  if (hasHigh) zeroed.fill(0, EXTRA.checksumHigh, EXTRA.checksumHigh + 2)
  const whole = ext4Checksum(zeroed, checksumSeed)
  const expected = hasHigh ? whole : whole & 0xffff
  if (found !== expected) {
    throw new FormatError(place, `checksum is ${hexadecimal(found)}, expected ${hexadecimal(expected)}`)
  }
}

function sizeOf(
  fields: Fields,
  kind: FileKind,
  { superblock, place }: { readonly superblock: Superblock; readonly place: StructurePlace },
): number {
  // Of a directory the high word once was something else: its ACL.
  const hasHigh = kind === 'file' || superblock.features.largeDirectories
  const size = fields.sizeLow + (hasHigh ? fields.sizeHigh * TWO_TO_32 : 0)
  if (!Number.isSafeInteger(size)) throw new FormatError(place, `size is ${size}, expected less than 2^53`)
  return size
}

function timesOf(
  bytes: Uint8Array,
  fields: Fields,
  extraSize: number,
): { accessed: FileTime; modified: FileTime; changed: FileTime; born: FileTime | null } {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const has = (offset: number): boolean => INODE_SIZE + extraSize >= offset + 4
  const word = (offset: number): number => (has(offset) ? view.getUint32(offset, true) : 0)
  return {
    accessed: parseInodeTime(fields.accessed, word(EXTRA.accessed)),
    modified: parseInodeTime(fields.modified, word(EXTRA.modified)),
    changed: parseInodeTime(fields.changed, word(EXTRA.changed)),
    born: has(EXTRA.born) ? parseInodeTime(word(EXTRA.born), word(EXTRA.bornExtra)) : null,
  }
}

/** Blocks in which content lies but that nobody can read without the key, or with a method that is long gone. */
export function unreadableContent(inode: Ext4Inode): string | null {
  if (isFlagged(inode, InodeFlag.Encrypted)) return `encrypted ${inode.kind}`
  if (isFlagged(inode, InodeFlag.Compressed) && inode.kind === 'file') return 'compressed file'
  return null
}
