import type { FrozenImage } from '../../domain/frozen-image.ts'
import { mergedRanges } from '../../extents/merged-ranges.ts'
import { readBytes } from '../../images/read-bytes.ts'
import { addFinding } from '../add-finding.ts'
import { arrangePartitions, overlappingRanges, type PartitionEntry } from '../arrange-partitions.ts'
import type { Finding } from '../finding.ts'
import { FormatError } from '../format-error.ts'
import type { Partition, PartitionTable } from '../partition-table.ts'
import {
  describeBootSector,
  isActive,
  isExtended,
  isUsed,
  MBR_SECTOR_BYTES,
  parseBootSector,
  type MbrEntry,
} from './boot-sector.ts'
import { readExtendedChain, type ExtendedChain } from './extended-chain.ts'
import { mbrTypeName } from './type-names.ts'

const FIRST_LOGICAL_NUMBER = 5
const NO_CHAIN: ExtendedChain = { logicals: [], linkSectors: [] }

/**
 * The partition table of a disk in its first sector, with the logical partitions of an extended one. It counts in the
 * sectors of the image. Throws FormatError when sector 0 is no table, is the boot sector of a file system, or only
 * protects a GUID partition table.
 */
export async function readMbr(image: FrozenImage): Promise<PartitionTable> {
  const { sizeBytes, sectorSizeBytes } = image
  const place = { structure: 'MBR', offsetBytes: 0 }
  if (sizeBytes < Math.max(sectorSizeBytes, MBR_SECTOR_BYTES)) {
    throw new FormatError(place, `the disk has ${sizeBytes} bytes, expected at least one sector`)
  }
  const bytes = await readBytes(image, 0, MBR_SECTOR_BYTES)
  const { kind, reason } = describeBootSector(bytes)
  if (kind === 'none' || kind === 'file-system') throw new FormatError(place, reason)
  if (kind === 'protective' || kind === 'hybrid') {
    throw new FormatError(place, 'it only stands for a GUID partition table')
  }

  const findings: Finding[] = []
  const { diskId, entries } = parseBootSector(bytes)
  const toPartition = partitionNamer(diskId)
  const used = entries.filter(isUsed)
  const [extended, ...others] = used.filter(isExtended)
  for (const other of others) {
    addFinding(
      findings,
      { structure: `partition ${other.index + 1}`, offsetBytes: other.offset },
      'it is a second extended partition, which is not followed',
    )
  }
  const chain =
    extended === undefined
      ? NO_CHAIN
      : await readExtendedChain(image, extended, { sectorSizeBytes, findings })
  const primaries = used.filter((entry) => !isExtended(entry)).map((entry) => toPartition(entry))
  const logicals = chain.logicals.map(({ entry, ...where }, index) => ({
    ...toPartition(entry, FIRST_LOGICAL_NUMBER + index),
    ...where,
  }))
  const metadataRanges = mergedRanges(
    [0, ...chain.linkSectors].map((sector) => ({
      offset: sector * sectorSizeBytes,
      length: sectorSizeBytes,
    })),
  )
  const containers = used.filter(isExtended).map((entry) => toPartition(entry))
  const partitions = arrangePartitions([...primaries, ...logicals], image, { metadataRanges, findings })
  const arranged = arrangePartitions(containers, image, { metadataRanges: [], findings })
  return {
    format: 'mbr',
    sectorSizeBytes,
    uuid: hexDigits(diskId, 8),
    partitions: outsideContainers(partitions, arranged),
    containers: arranged,
    metadataRanges,
    findings,
  }
}

/** What a primary partition and an extended one both have is nobody's alone, also where no logical partition is seen. */
function outsideContainers(
  partitions: readonly Partition[],
  containers: readonly Partition[],
): readonly Partition[] {
  return partitions.map((partition) => {
    const { number, range } = partition
    if (number >= FIRST_LOGICAL_NUMBER) return partition
    const isInside = containers.some((other) => overlappingRanges([other.range, range]).size > 0)
    return isInside ? { ...partition, overlaps: true } : partition
  })
}

/** Linux names partitions without a UUID of their own by the identifier of the disk and their number. */
function partitionNamer(diskId: number): (entry: MbrEntry, number?: number) => PartitionEntry {
  return (entry, number = entry.index + 1) => ({
    number,
    typeId: `0x${hexDigits(entry.type, 2)}`,
    typeName: mbrTypeName(entry.type),
    name: '',
    uuid: diskId === 0 ? null : `${hexDigits(diskId, 8)}-${hexDigits(number, 2)}`,
    flags: isActive(entry) ? ['active'] : [],
    firstSector: entry.firstSector,
    sectorCount: entry.sectorCount,
    entryOffsetBytes: entry.offset,
  })
}

function hexDigits(value: number, count: number): string {
  return value.toString(16).padStart(count, '0')
}
