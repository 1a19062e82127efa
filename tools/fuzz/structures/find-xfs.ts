// Where the structures of an XFS lie, by their magic numbers, and where each has its checksum: XFS Algorithms & Data
// Structures, chapter "Self-describing metadata".
import { expectedChecksum } from '../../../src/formats/xfs/checksum.ts'
import { attributeLeafFields, directoryFields, hashNodeFields } from '../fields/xfs-block-fields.ts'
import * as fields from '../fields/xfs-fields.ts'
import { rewrite, viewOf, type LocalStructure, type Target } from '../structure.ts'

type Known = { readonly kind: string; readonly checksumOffset: number | null }

/** By the first four bytes of a sector or block. */
const BY_START: Readonly<Record<string, Known>> = {
  XFSB: { kind: 'superblock', checksumOffset: 224 },
  XAGF: { kind: 'AGF', checksumOffset: 216 },
  XAGI: { kind: 'AGI', checksumOffset: 312 },
  XAFL: { kind: 'AGFL', checksumOffset: 32 },
  AB3B: { kind: 'free space block', checksumOffset: 52 },
  AB3C: { kind: 'free space block', checksumOffset: 52 },
  IAB3: { kind: 'inode tree block', checksumOffset: 52 },
  BMA3: { kind: 'extent tree block', checksumOffset: 64 },
  XDB3: { kind: 'directory block', checksumOffset: 4 },
  XDD3: { kind: 'directory block', checksumOffset: 4 },
  XSLM: { kind: 'symlink block', checksumOffset: 12 },
  XARM: { kind: 'remote attribute', checksumOffset: 12 },
  '\u00fe\u00ed\u00ba\u00be': { kind: 'log record', checksumOffset: null },
  ABTB: { kind: 'free space block', checksumOffset: null },
  ABTC: { kind: 'free space block', checksumOffset: null },
  BMAP: { kind: 'extent tree block', checksumOffset: null },
  XD2B: { kind: 'directory block', checksumOffset: null },
  XD2D: { kind: 'directory block', checksumOffset: null },
}
/** By the two bytes at 8. */
const BY_BLOCK_INFO: Readonly<Record<number, Known>> = {
  0x3bee: { kind: 'attribute leaf', checksumOffset: 12 },
  0x3ebe: { kind: 'hash node', checksumOffset: 12 },
  0x3df1: { kind: 'hash leaf', checksumOffset: 12 },
  0x3dff: { kind: 'hash leaf', checksumOffset: 12 },
  0xfbee: { kind: 'attribute leaf', checksumOffset: null },
  0xfebe: { kind: 'hash node', checksumOffset: null },
}
const FIELDS: Readonly<Record<string, fields.FieldFinder>> = {
  superblock: fields.superblockFields,
  AGF: fields.agfFields,
  AGI: fields.agiFields,
  AGFL: fields.agflFields,
  inode: fields.inodeFields,
  'short directory inode': fields.inodeFields,
  'free space block': fields.shortTreeFields,
  'inode tree block': fields.shortTreeFields,
  'extent tree block': fields.extentTreeFields,
  'directory block': directoryFields,
  'attribute leaf': attributeLeafFields,
  'hash node': hashNodeFields,
  'symlink block': fields.remoteFields,
  'remote attribute': fields.remoteFields,
  'log record': fields.logFields,
}
/** Read wherever they are. */
const CHECKED = new Set([
  'AGF',
  'AGFL',
  'directory block',
  'extent tree block',
  'symlink block',
  'remote attribute',
  'inode',
  'short directory inode',
])
const INODE_CHECKSUM = 100
const LOG_RECORD_MAGIC = 0xfeedbabe

export function findXfs(target: Target): LocalStructure[] {
  const view = viewOf(target.read(0, 512))
  const blockBytes = view.getUint32(4)
  const sectorBytes = view.getUint16(102)
  const inodeBytes = view.getUint16(104)
  const agBytes = view.getUint32(84) * blockBytes
  const directoryBytes = blockBytes << view.getUint8(192)
  const found: LocalStructure[] = []
  const isOfVersion5 = (view.getUint16(100) & 0xf) === 5
  // Of the real-time volume: no directory leads to them.
  const hidden = new Set([view.getBigUint64(64), view.getBigUint64(72)])
  const [agBlockLog, perBlockLog] = [view.getUint8(124), view.getUint8(123)]
  const numberOf = (offset: number): bigint => {
    const [ag, within] = [Math.floor(offset / agBytes), offset % agBytes]
    return (BigInt(ag) << BigInt(agBlockLog + perBlockLog)) + BigInt(within / inodeBytes)
  }
  const add = (known: Known, offset: number, length: number): void => {
    found.push({
      kind: known.kind,
      isRead: !known.kind.endsWith('inode') || !hidden.has(numberOf(offset)),
      isChecked: isOfVersion5 && known.checksumOffset !== null && CHECKED.has(known.kind),
      ...(FIELDS[known.kind] === undefined ? {} : { fields: FIELDS[known.kind] }),
      offset,
      length,
      blockBytes,
      mend: mender(known.checksumOffset, offset, length),
    })
  }
  const zeros = new Uint8Array(blockBytes)
  for (let offset = 0; offset + blockBytes <= target.sizeBytes; offset += blockBytes) {
    const bytes = target.read(offset, blockBytes)
    if (Buffer.compare(bytes, zeros) === 0) continue
    const step = offset % agBytes < 4 * sectorBytes ? sectorBytes : blockBytes
    for (let at = 0; at < blockBytes; at += step) {
      const known = knownAs(bytes.subarray(at))
      const isDirectory = known?.kind === 'directory block'
      if (known !== undefined) add(known, offset + at, isDirectory ? directoryBytes : step)
    }
    for (let at = 0; at < blockBytes; at += inodeBytes) {
      if (bytes[at] !== 0x49 || bytes[at + 1] !== 0x4e || viewOf(bytes).getUint16(at + 2) === 0) continue
      const checksumOffset = bytes[at + 4] === 3 ? INODE_CHECKSUM : null
      const mode = viewOf(bytes).getUint16(at + 2)
      const isShort = (mode & 0xf000) === 0x4000 && bytes[at + 5] === 1
      add({ kind: isShort ? 'short directory inode' : 'inode', checksumOffset }, offset + at, inodeBytes)
    }
  }
  return found
}

function knownAs(bytes: Uint8Array): Known | undefined {
  return BY_START[String.fromCharCode(...bytes.subarray(0, 4))] ?? BY_BLOCK_INFO[viewOf(bytes).getUint16(8)]
}

function mender(checksumOffset: number | null, offset: number, length: number): LocalStructure['mend'] {
  return (target) => {
    if (checksumOffset === null) {
      mendLogRecord(target, offset)
      return
    }
    rewrite(target, { offset, length }, (bytes, view) =>
      view.setUint32(checksumOffset, expectedChecksum(bytes, checksumOffset), true),
    )
  }
}

/** A log record may go without a checksum, which is of all its data. */
function mendLogRecord(target: Target, offset: number): void {
  if (viewOf(target.read(offset, 4)).getUint32(0) === LOG_RECORD_MAGIC)
    target.write(new Uint8Array(4), offset + 32)
}
