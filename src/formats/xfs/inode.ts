// The XFS inode, versions 1 to 3, big endian. Known from "XFS Algorithms & Data Structures", 3rd edition, chapter
// "On-disk Inode":
//
//   core (100 bytes; 176 in version 3) │ data fork │ attribute fork, from 8 * forkOffset after the core │ end
import type { Layout, StructValues } from '../../bytes/struct.ts'
import type { FileKind, FileTime } from '../file-system.ts'
import { FormatError, type StructurePlace } from '../format-error.ts'
import { requireChecksum } from './checksum.ts'
import { hex } from '../hex.ts'
import { readStructure } from '../read-structure.ts'
import { parseInodeTime } from './inode-time.ts'
import { requireUuid } from './self-description.ts'

const INODE_MAGIC = 0x494e
const CORE_BYTES = 100
const CORE_V3_BYTES = 176
const CHECKSUM_OFFSET = 100
const FORK_OFFSET_UNIT_BYTES = 8

const CORE = {
  magic: [0, 'u16be'],
  mode: [2, 'u16be'],
  version: [4, 'u8'],
  dataFormat: [5, 'u8'],
  oldLinkCount: [6, 'u16be'],
  userId: [8, 'u32be'],
  groupId: [12, 'u32be'],
  linkCount: [16, 'u32be'],
  projectIdLow: [20, 'u16be'],
  projectIdHigh: [22, 'u16be'],
  sizeBytes: [56, 'u64be'],
  blockCount: [64, 'u64be'],
  extentCount: [76, 'u32be'],
  attributeExtentCount: [80, 'u16be'],
  forkOffset: [82, 'u8'],
  attributeFormat: [83, 'u8'],
  flags: [90, 'u16be'],
  generation: [92, 'u32be'],
} as const satisfies Layout

const CORE_V3 = {
  /** The lower half: the upper one has none. */
  flags2: [124, 'u32be'],
  number: [152, 'u64be'],
  uuid: [160, ['bytes', 16]],
} as const satisfies Layout

/** In place of the counts above when the inode has the flag for large ones. */
const LARGE_COUNTS = {
  extentCount: [24, 'u64be'],
  attributeExtentCount: [76, 'u32be'],
} as const satisfies Layout

const TIME_OFFSET = { accessed: 32, modified: 40, changed: 48, born: 144 }

const FLAG_REALTIME = 0x1
const FLAG2_REFLINK = 0x2
const FLAG2_BIG_TIME = 0x8
const FLAG2_LARGE_COUNTS = 0x10
const FLAG2_METADATA = 0x20

/** How the content of a fork is kept. */
export type ForkFormat = 'device' | 'local' | 'extents' | 'btree'

export type Fork = {
  readonly name: 'data' | 'attribute'
  readonly format: ForkFormat
  readonly bytes: Uint8Array
  /** Where `bytes` lie in the image. */
  readonly offsetBytes: number
  /** What the inode says, and nobody should rely on: a damaged one says anything. */
  readonly extentCount: number
}

export type Inode = {
  readonly place: StructurePlace
  readonly number: number
  readonly generation: number
  readonly kind: FileKind
  readonly mode: number
  readonly userId: number
  readonly groupId: number
  readonly projectId: number
  readonly sizeBytes: number
  /** Blocks of both forks and their trees. */
  readonly blockCount: number
  readonly linkCount: number
  readonly accessed: FileTime
  readonly modified: FileTime
  readonly changed: FileTime
  readonly born: FileTime | null
  /** The content lies on another device or another part of it. */
  readonly isRealtime: boolean
  /** Other inodes may have blocks of its content, too. */
  readonly isReflinked: boolean
  readonly data: Fork
  /** Null when there is no attribute fork at all. */
  readonly attributes: Fork | null
}

/** What the inode must fit. */
export type InodeIdentity = {
  readonly number: number
  /** Null before version 5 of the format, whose inodes neither name themselves nor have checksums. */
  readonly uuid: Uint8Array | null
}

type Core = StructValues<typeof CORE>
type CoreV3 = StructValues<typeof CORE_V3>

const KIND: Readonly<Record<number, FileKind>> = {
  0o01: 'fifo',
  0o02: 'character-device',
  0o04: 'directory',
  0o06: 'block-device',
  0o10: 'file',
  0o12: 'symlink',
  0o14: 'socket',
}

const FORK_FORMAT: readonly ForkFormat[] = ['device', 'local', 'extents', 'btree']

/** `bytes` is the whole inode, of the size that the superblock says. Throws FormatError for one that is not in use. */
export function parseInode(bytes: Uint8Array, place: StructurePlace, expected: InodeIdentity): Inode {
  requireWhole(bytes, place, expected)
  const core = readStructure(CORE, bytes, place)
  const coreV3 = expected.uuid === null ? null : readCoreV3(bytes, place, expected)
  if (core.mode === 0) throw new FormatError(place, 'it is free')
  const linkCount = core.version === 1 ? core.oldLinkCount : core.linkCount
  if (linkCount === 0) throw new FormatError(place, 'it is unlinked: no directory has it')
  const flags2 = coreV3?.flags2 ?? 0
  if (hasFlag(flags2, FLAG2_METADATA))
    throw new FormatError(place, 'it is metadata of the file system, no file')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const time = (offset: number): FileTime => parseInodeTime(view, offset, hasFlag(flags2, FLAG2_BIG_TIME))
  return {
    place,
    number: expected.number,
    generation: core.generation,
    kind: kindOf(core.mode, place),
    mode: core.mode & 0o7777,
    userId: core.userId,
    groupId: core.groupId,
    projectId: core.version === 1 ? 0 : core.projectIdHigh * 2 ** 16 + core.projectIdLow,
    sizeBytes: core.sizeBytes,
    blockCount: core.blockCount,
    linkCount,
    accessed: time(TIME_OFFSET.accessed),
    modified: time(TIME_OFFSET.modified),
    changed: time(TIME_OFFSET.changed),
    born: coreV3 === null ? null : time(TIME_OFFSET.born),
    isRealtime: hasFlag(core.flags, FLAG_REALTIME),
    isReflinked: hasFlag(flags2, FLAG2_REFLINK),
    ...forksOf(bytes, place, { core, coreV3 }),
  }
}

/** First of all the magic, the version and the checksum: what the fields of a broken inode say is of no interest. */
function requireWhole(bytes: Uint8Array, place: StructurePlace, { uuid }: InodeIdentity): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const magic = view.getUint16(CORE.magic[0])
  const version = view.getUint8(CORE.version[0])
  if (magic !== INODE_MAGIC) {
    throw new FormatError(place, `magic is ${hex(magic)}, expected ${hex(INODE_MAGIC)}`)
  }
  const isKnown = uuid === null ? version === 1 || version === 2 : version === 3
  if (!isKnown) {
    throw new FormatError(place, `version is ${version}, expected ${uuid === null ? '1 or 2' : '3'}`)
  }
  if (uuid !== null) requireChecksum(bytes, CHECKSUM_OFFSET, place)
}

function readCoreV3(bytes: Uint8Array, place: StructurePlace, expected: InodeIdentity): CoreV3 {
  const coreV3 = readStructure(CORE_V3, bytes, place)
  if (coreV3.number !== expected.number) {
    throw new FormatError(place, `its own number is ${coreV3.number}, expected ${expected.number}`)
  }
  if (expected.uuid !== null) requireUuid(coreV3.uuid, place, expected.uuid)
  return coreV3
}

function kindOf(mode: number, place: StructurePlace): FileKind {
  const kind = KIND[mode >> 12]
  if (kind === undefined)
    throw new FormatError(place, `mode is 0o${mode.toString(8)}, which is no kind of file`)
  return kind
}

function forksOf(
  bytes: Uint8Array,
  place: StructurePlace,
  parts: { readonly core: Core; readonly coreV3: CoreV3 | null },
): { readonly data: Fork; readonly attributes: Fork | null } {
  const { core, coreV3 } = parts
  const start = coreV3 === null ? CORE_BYTES : CORE_V3_BYTES
  const isLarge = coreV3 !== null && hasFlag(coreV3.flags2, FLAG2_LARGE_COUNTS)
  const counts = isLarge ? readStructure(LARGE_COUNTS, bytes, place) : core
  const hasAttributes = core.forkOffset > 0
  const middle = hasAttributes ? start + core.forkOffset * FORK_OFFSET_UNIT_BYTES : bytes.byteLength
  if (middle >= bytes.byteLength && hasAttributes) {
    throw new FormatError(place, `its attribute fork is at byte ${middle}, beyond its end`)
  }
  const fork = (name: Fork['name'], from: number, to: number): Fork => ({
    name,
    format: formatOf(name === 'data' ? core.dataFormat : core.attributeFormat, place),
    bytes: bytes.subarray(from, to),
    offsetBytes: place.offsetBytes + from,
    extentCount: name === 'data' ? counts.extentCount : counts.attributeExtentCount,
  })
  return {
    data: fork('data', start, middle),
    attributes: hasAttributes ? fork('attribute', middle, bytes.byteLength) : null,
  }
}

function formatOf(value: number, place: StructurePlace): ForkFormat {
  const format = FORK_FORMAT[value]
  if (format === undefined) throw new FormatError(place, `fork format is ${value}, expected 0 to 3`)
  return format
}

function hasFlag(flags: number, flag: number): boolean {
  return (flags & flag) !== 0
}
