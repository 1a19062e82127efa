import type { FrozenImage } from '../../domain/frozen-image.ts'
import { readBytes } from '../../images/read-bytes.ts'
import { addFinding } from '../add-finding.ts'
import type { Finding } from '../finding.ts'
import { isExtended, isUsed, MBR_SECTOR_BYTES, parseBootSector, type MbrEntry } from './boot-sector.ts'

/** Linux gives device numbers to 60 or 255 partitions of a disk; fdisk stops at 60. More is damage. */
const LINKS_MAX = 256

/** A sector number of the disk. */
export type LogicalEntry = {
  readonly entry: MbrEntry
  readonly firstSector: number
  readonly entryOffsetBytes: number
}

export type ExtendedChain = {
  readonly logicals: readonly LogicalEntry[]
  /** The sectors that hold the links of the chain. */
  readonly linkSectors: readonly number[]
}

type Unit = { readonly sectorSizeBytes: number; readonly findings: Finding[] }

/**
 * Walks an extended partition: each link is a sector like sector 0, whose first entry is a logical partition, counted
 * from the link, and whose second names the next link, counted from the start of the extended partition. A link that
 * is none, that was there before, or that lies outside ends the walk with a finding; what came before stays.
 */
export async function readExtendedChain(
  image: FrozenImage,
  container: { readonly firstSector: number; readonly sectorCount: number },
  { sectorSizeBytes, findings }: Unit,
): Promise<ExtendedChain> {
  const logicals: LogicalEntry[] = []
  const links = new Set<number>()
  const diskSectorCount = Math.floor(image.sizeBytes / sectorSizeBytes)
  let sector: number | null = container.firstSector
  while (sector !== null) {
    const link: number = sector
    const place = {
      structure: `extended partition link ${links.size + 1}`,
      offsetBytes: link * sectorSizeBytes,
    }
    const stop =
      linkRefusal(link, { links, diskSectorCount }) ??
      (link < container.firstSector + container.sectorCount ? null : 'it lies outside the extended partition')
    if (stop !== null) {
      addFinding(findings, place, stop)
      break
    }
    const { hasSignature, entries } = parseBootSector(
      await readBytes(image, place.offsetBytes, MBR_SECTOR_BYTES),
    )
    if (!hasSignature) {
      addFinding(findings, place, 'it has no signature 55aa')
      break
    }
    links.add(link)
    const used = entries.filter(isUsed)
    for (const entry of used.filter((each) => !isExtended(each))) {
      const firstSector = link + entry.firstSector
      logicals.push({ entry, firstSector, entryOffsetBytes: place.offsetBytes + entry.offset })
    }
    const next = used.find(isExtended)
    sector = next === undefined ? null : container.firstSector + next.firstSector
  }
  return { logicals, linkSectors: [...links] }
}

/** Why the chain ends before sector `link`; null when it does not. */
function linkRefusal(
  link: number,
  { links, diskSectorCount }: { readonly links: ReadonlySet<number>; readonly diskSectorCount: number },
): string | null {
  if (links.has(link)) return 'the chain comes back to it'
  if (links.size >= LINKS_MAX) return `it is one more than ${LINKS_MAX}`
  if (link >= diskSectorCount) return `it would be sector ${link}, and the disk has ${diskSectorCount}`
  return null
}
