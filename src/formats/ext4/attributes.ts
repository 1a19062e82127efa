// Extended attributes: the kernel's "ext4 Data Structures and Algorithms", section "Extended Attributes".
import { isSameBytes } from '../../bytes/same-bytes.ts'
import { hex } from '../hex.ts'
import type { ExtendedAttribute } from '../file-system.ts'
import { FormatError } from '../format-error.ts'
import { showAcl } from './acl.ts'
import { parseAttributeEntries, type AttributeEntry } from './attribute-entries.ts'
import { isAttributeHash } from './attribute-hash.ts'
import { AttributeSpace, fullAttributeName } from './attribute-names.ts'
import { readAttributeValue } from './attribute-value.ts'
import { ext4Checksum, littleEndian32 } from './checksum.ts'
import { ATTRIBUTE_MAGIC, inodeAttributes } from './inode-attributes.ts'
import type { Ext4Inode } from './inode.ts'
import { readBlock, type Ext4Volume } from './volume.ts'

const BLOCK_HEADER_SIZE = 32
const REFERENCE_COUNT_OFFSET = 4
const BLOCK_CHECKSUM_OFFSET = 16
const TWO_TO_32 = 2 ** 32

/**
 * The attributes of a file, as the kernel shows them: those in the inode, then those in its block. What the file
 * system keeps for itself there, content and the terms of encryption and verity, is no attribute.
 */
export async function readAttributes(
  volume: Ext4Volume,
  inode: Ext4Inode,
): Promise<readonly ExtendedAttribute[]> {
  const entries = [...inodeAttributes(inode), ...(await blockAttributes(volume, inode))]
  const attributes: ExtendedAttribute[] = []
  for (const entry of entries) {
    if (isOfTheFileSystem(entry)) continue
    const name = fullAttributeName(entry.space, entry.name)
    if (name === null) {
      volume.report({
        ...inode.place,
        found: `it has an attribute in namespace ${entry.space}, which is not known`,
      })
      continue
    }
    const value = await readAttributeValue(volume, inode, entry)
    const isAcl = entry.space === AttributeSpace.AccessAcl || entry.space === AttributeSpace.DefaultAcl
    attributes.push({ name, value: isAcl ? showAcl(value, inode.place) : value })
  }
  return attributes
}

const SPACES_OF_THE_FILE_SYSTEM: ReadonlySet<number> = new Set([
  AttributeSpace.System,
  AttributeSpace.Encryption,
  AttributeSpace.Verity,
])

function isOfTheFileSystem(entry: AttributeEntry): boolean {
  return SPACES_OF_THE_FILE_SYSTEM.has(entry.space)
}

async function blockAttributes(volume: Ext4Volume, inode: Ext4Inode): Promise<readonly AttributeEntry[]> {
  const block = inode.attributeBlock
  if (block === 0) return []
  const structure = `attribute block of ext4 inode ${inode.number}`
  const bytes = await readBlock(volume, block, structure)
  const place = { structure, offsetBytes: block * volume.superblock.blockSizeBytes }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const magic = view.getUint32(0, true)
  if (magic !== ATTRIBUTE_MAGIC) {
    throw new FormatError(place, `magic is ${hex(magic)}, expected ${hex(ATTRIBUTE_MAGIC)}`)
  }
  const blockCount = view.getUint32(8, true)
  if (blockCount !== 1) throw new FormatError(place, `it has ${blockCount} blocks, expected 1`)
  if (volume.superblock.features.metadataChecksums) {
    const found = view.getUint32(BLOCK_CHECKSUM_OFFSET, true)
    const expected = blockChecksum(volume, block, bytes)
    if (found !== expected) {
      throw new FormatError(place, `checksum is ${hex(found)}, expected ${hex(expected)}`)
    }
  }
  const entries = parseAttributeEntries(bytes, { entriesStart: BLOCK_HEADER_SIZE, valueBase: 0 }, place)
  for (const { hash, name, value, valueInode } of entries) {
    // The hash of a value in an inode of its own is checked when that is read.
    if (hash === 0 || valueInode !== 0 || isAttributeHash(hash, name, value)) continue
    volume.report({ ...place, found: `hash of an attribute is ${hex(hash)}, which does not fit` })
  }
  return entries
}

/**
 * Whether two states of the block at `offsetBytes` are attributes that differ only in how many inodes have them. Without
 * checksums that begin with the number of the block nobody can tell.
 */
export function isSharedAttributeBlock(
  volume: Ext4Volume,
  { before, after }: { readonly before: Uint8Array; readonly after: Uint8Array },
  offsetBytes: number,
): boolean {
  const { superblock } = volume
  if (!superblock.features.metadataChecksums) return false
  const block = offsetBytes / superblock.blockSizeBytes
  const [one, other] = [before, after].map((bytes) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (view.getUint32(0, true) !== ATTRIBUTE_MAGIC) return null
    if (view.getUint32(BLOCK_CHECKSUM_OFFSET, true) !== blockChecksum(volume, block, bytes)) return null
    const compared = bytes.slice()
    compared.fill(0, REFERENCE_COUNT_OFFSET, REFERENCE_COUNT_OFFSET + 4)
    compared.fill(0, BLOCK_CHECKSUM_OFFSET, BLOCK_CHECKSUM_OFFSET + 4)
    return compared
  })
  if (one === undefined || other === undefined || one === null || other === null) return false
  return isSameBytes(one, other)
}

/** Blocks may be shared by files: the checksum begins with the number of the block, not with the inode's. */
function blockChecksum(volume: Ext4Volume, block: number, bytes: Uint8Array): number {
  const zeroed = bytes.slice()
  zeroed.fill(0, BLOCK_CHECKSUM_OFFSET, BLOCK_CHECKSUM_OFFSET + 4)
  const low = ext4Checksum(littleEndian32(block % TWO_TO_32), volume.superblock.checksumSeed)
  return ext4Checksum(zeroed, ext4Checksum(littleEndian32(Math.floor(block / TWO_TO_32)), low))
}
