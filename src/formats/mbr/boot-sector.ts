// Sector 0 of a disk, and the first sector of each link of an extended partition: UEFI specification, section 5.2
// "LBA 0 Format". All little-endian.
import { readStruct, type Layout, type StructValues } from '../../bytes/struct.ts'
import { fileSystemOfBootSector } from './file-system-boot-sector.ts'

export const MBR_SECTOR_BYTES = 512

const SECTOR = {
  diskId: [0x1b8, 'u32le'],
  signature: [0x1fe, 'u16le'],
} as const satisfies Layout

const ENTRY = {
  status: [0, 'u8'],
  type: [4, 'u8'],
  firstSector: [8, 'u32le'],
  sectorCount: [12, 'u32le'],
} as const satisfies Layout

const ENTRIES_OFFSET = 0x1be
const ENTRY_BYTES = 16
const ENTRY_COUNT = 4
/** 55 AA */
const SIGNATURE = 0xaa55
const ACTIVE = 0x80
const PROTECTIVE_TYPE = 0xee
const EXTENDED_TYPES: readonly number[] = [0x05, 0x0f, 0x85]

export type MbrEntry = StructValues<typeof ENTRY> & {
  /** Which of the four, from 0. */
  readonly index: number
  /** From the start of the sector. */
  readonly offset: number
}

export type BootSector = {
  readonly diskId: number
  readonly hasSignature: boolean
  /** All four, used or not. */
  readonly entries: readonly MbrEntry[]
}

export function parseBootSector(bytes: Uint8Array): BootSector {
  const sector = readStruct(SECTOR, bytes)
  const entries = Array.from({ length: ENTRY_COUNT }, (_, index) => {
    const offset = ENTRIES_OFFSET + index * ENTRY_BYTES
    return { ...readStruct(ENTRY, bytes.subarray(offset, offset + ENTRY_BYTES)), index, offset }
  })
  return { diskId: sector.diskId, hasSignature: sector.signature === SIGNATURE, entries }
}

export function isExtended(entry: MbrEntry): boolean {
  return EXTENDED_TYPES.includes(entry.type)
}

export function isProtective(entry: MbrEntry): boolean {
  return entry.type === PROTECTIVE_TYPE
}

export function isActive(entry: MbrEntry): boolean {
  return entry.status === ACTIVE
}

export function isUsed(entry: MbrEntry): boolean {
  return entry.type !== 0 && entry.sectorCount !== 0
}

export type BootSectorKind =
  /** No table: without its signature, or with bytes where the table would be that are none. */
  | 'none'
  /** The start of a file system, as FAT and NTFS have it; it has the signature of a table, but is none. */
  | 'file-system'
  /** A table without partitions. Boot loaders write it to disks that are one file system, too. */
  | 'blank'
  | 'partitions'
  /** One partition that stands for a GUID partition table. */
  | 'protective'
  /** That, and others beside it. */
  | 'hybrid'

/** What sector 0 is; `reason` is why it is no table, for the kinds that are none. */
export function describeBootSector(bytes: Uint8Array): {
  readonly kind: BootSectorKind
  readonly reason: string
} {
  const sector = parseBootSector(bytes)
  if (!sector.hasSignature) {
    const found = bytes.subarray(SECTOR.signature[0], MBR_SECTOR_BYTES).toHex()
    return { kind: 'none', reason: `signature is ${found}, expected 55aa` }
  }
  const strange = sector.entries.find((entry) => entry.status !== 0 && !isActive(entry))
  const fileSystem = fileSystemOfBootSector(bytes)
  const used = sector.entries.filter(isUsed)
  if (fileSystem !== null && (strange !== undefined || !areLikely(used))) {
    return { kind: 'file-system', reason: `it is the boot sector of ${fileSystem}` }
  }
  if (strange !== undefined) {
    const reason = `status of partition ${strange.index + 1} is 0x${strange.status.toString(16)}, expected 0x0 or 0x80`
    return { kind: 'none', reason }
  }
  if (used.length === 0) return { kind: 'blank', reason: '' }
  const others = used.filter((entry) => !isProtective(entry))
  if (others.length === used.length) return { kind: 'partitions', reason: '' }
  return { kind: others.length === 0 ? 'protective' : 'hybrid', reason: '' }
}

/**
 * Some tools write a table into a boot sector that looks like one of FAT. Then both are there; text and code, which
 * is what file systems have in that place, are never such a table.
 */
function areLikely(used: readonly MbrEntry[]): boolean {
  const ascending = used.toSorted((a, b) => a.firstSector - b.firstSector)
  return (
    used.length > 0 &&
    ascending.every((entry, index) => {
      const previous = ascending[index - 1]
      return entry.firstSector >= (previous === undefined ? 1 : previous.firstSector + previous.sectorCount)
    })
  )
}
