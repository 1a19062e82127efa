// The boot sectors of file systems that end with 55 AA as a partition table does. Known from: "Microsoft Extensible
// Firmware Initiative FAT32 File System Specification", "exFAT file system specification", and, for the rest, the
// eight bytes of a name at offset 3.
import { readStruct, type Layout, type StructValues } from '../../bytes/struct.ts'

const BIOS_PARAMETER_BLOCK = {
  sectorSizeBytes: [11, 'u16le'],
  sectorsPerCluster: [13, 'u8'],
  reservedSectorCount: [14, 'u16le'],
  fatCount: [16, 'u8'],
  rootEntryCount: [17, 'u16le'],
  sectorCount16: [19, 'u16le'],
  media: [21, 'u8'],
  fatSectorCount16: [22, 'u16le'],
  sectorCount32: [32, 'u32le'],
  fatSectorCount32: [36, 'u32le'],
} as const satisfies Layout

type BiosParameterBlock = StructValues<typeof BIOS_PARAMETER_BLOCK>

const NAMES: Readonly<Record<string, string>> = {
  'NTFS    ': 'ntfs',
  'EXFAT   ': 'exfat',
  'ReFS\0\0\0\0': 'refs',
  '-FVE-FS-': 'bitlocker',
}

const SECTOR_SIZES: readonly number[] = [512, 1024, 2048, 4096]
const ROOT_ENTRY_BYTES = 32
/** The counts of clusters from which on a volume is of the next kind; nothing else tells the kinds apart. */
const FAT16_CLUSTERS_MIN = 4085
const FAT32_CLUSTERS_MIN = 65_525

/** The name of the file system that `bytes`, a first sector, begin; null when they are none of these. */
export function fileSystemOfBootSector(bytes: Uint8Array): string | null {
  const name = new TextDecoder('latin1').decode(bytes.subarray(3, 11))
  return NAMES[name] ?? fatKindOf(bytes)
}

/** `fat12`, `fat16` or `fat32` when the numbers of the boot sector fit together, else null. */
function fatKindOf(bytes: Uint8Array): string | null {
  const block = readStruct(BIOS_PARAMETER_BLOCK, bytes)
  if (!isLikely(block)) return null
  const sectorCount = block.sectorCount16 || block.sectorCount32
  const fatSectorCount = block.fatSectorCount16 || block.fatSectorCount32
  const rootSectorCount = Math.ceil((block.rootEntryCount * ROOT_ENTRY_BYTES) / block.sectorSizeBytes)
  const overhead = block.reservedSectorCount + block.fatCount * fatSectorCount + rootSectorCount
  if (fatSectorCount === 0 || overhead > sectorCount) return null
  if (block.fatSectorCount16 === 0) return 'fat32'
  const clusterCount = Math.floor((sectorCount - overhead) / block.sectorsPerCluster)
  if (clusterCount < FAT16_CLUSTERS_MIN) return 'fat12'
  return clusterCount < FAT32_CLUSTERS_MIN ? 'fat16' : 'fat32'
}

/** What Linux asks for too; neither the jump at the start nor 55 AA at the end is in all of them. */
function isLikely(block: BiosParameterBlock): boolean {
  return (
    SECTOR_SIZES.includes(block.sectorSizeBytes) &&
    isPowerOfTwo(block.sectorsPerCluster) &&
    block.reservedSectorCount > 0 &&
    block.fatCount > 0 &&
    (block.media === 0xf0 || block.media >= 0xf8)
  )
}

function isPowerOfTwo(value: number): boolean {
  return value > 0 && (value & (value - 1)) === 0
}
