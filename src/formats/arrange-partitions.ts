import { endOf, type Range } from '../domain/range.ts'
import { addFinding } from './add-finding.ts'
import type { Finding } from './finding.ts'
import type { Partition } from './partition-table.ts'

/** A partition as its entry says it, in sectors; nothing about it is checked yet. */
export type PartitionEntry = Omit<Partition, 'range' | 'overlaps'> & {
  readonly firstSector: number
  readonly sectorCount: number
  /** Where the entry lies, for findings. */
  readonly entryOffsetBytes: number
}

export type Disk = { readonly sizeBytes: number; readonly sectorSizeBytes: number }

/**
 * The partitions that lie within the disk, by number, each told whether it overlaps another or the table. What does
 * not lie within the disk is left out with a finding: what is there of it stays a gap, and is read as data.
 */
export function arrangePartitions(
  entries: readonly PartitionEntry[],
  disk: Disk,
  { metadataRanges, findings }: { readonly metadataRanges: readonly Range[]; readonly findings: Finding[] },
): Partition[] {
  const all = entries.map((entry) => ({ entry, range: rangeOf(entry, disk) }))
  const inside = all.filter(({ entry }) => isInside(entry, disk, findings))
  // One that ends beyond the disk is left out, and is in the way of others all the same.
  const taken = all.map(({ range }) => range).filter((range) => range.length > 0)
  const overlapping = overlappingRanges([...taken, ...metadataRanges])
  return inside
    .map(({ entry, range }) => {
      const { firstSector: _first, sectorCount: _count, entryOffsetBytes, ...facts } = entry
      const overlaps = overlapping.has(range)
      if (overlaps) {
        addFinding(
          findings,
          { structure: `partition ${entry.number}`, offsetBytes: entryOffsetBytes },
          'it overlaps another partition or the table',
        )
      }
      return { ...facts, range, overlaps }
    })
    .toSorted((a, b) => a.number - b.number)
}

function rangeOf(
  { firstSector, sectorCount }: { readonly firstSector: number; readonly sectorCount: number },
  { sectorSizeBytes }: Disk,
): Range {
  return { offset: firstSector * sectorSizeBytes, length: Math.max(0, sectorCount) * sectorSizeBytes }
}

function isInside(entry: PartitionEntry, disk: Disk, findings: Finding[]): boolean {
  const place = { structure: `partition ${entry.number}`, offsetBytes: entry.entryOffsetBytes }
  const { firstSector, sectorCount } = entry
  if (sectorCount < 1) {
    addFinding(findings, place, `it has ${sectorCount} sectors, expected at least 1`)
    return false
  }
  const diskSectorCount = Math.floor(disk.sizeBytes / disk.sectorSizeBytes)
  if (firstSector + sectorCount <= diskSectorCount) return true
  addFinding(
    findings,
    place,
    `it is sectors ${firstSector}+${sectorCount}, expected within the ${diskSectorCount} of the disk`,
  )
  return false
}

/** Those of `ranges`, by identity, that share a byte with another one. */
export function overlappingRanges(ranges: readonly Range[]): ReadonlySet<Range> {
  const overlapping = new Set<Range>()
  /** Of those passed, the one that ends last: whatever overlaps any of them overlaps this one. */
  let last: Range | undefined
  for (const range of ranges.toSorted((a, b) => a.offset - b.offset)) {
    if (last !== undefined && range.offset < endOf(last)) overlapping.add(last).add(range)
    if (last === undefined || endOf(range) > endOf(last)) last = range
  }
  return overlapping
}
