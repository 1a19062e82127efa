import assert from 'node:assert/strict'
import type { FrozenImage } from '../../domain/frozen-image.ts'
import type { Range } from '../../domain/range.ts'
import { mergedRanges } from '../../extents/merged-ranges.ts'
import { readBytes } from '../../images/read-bytes.ts'
import { addFinding } from '../add-finding.ts'
import { arrangePartitions, type PartitionEntry } from '../arrange-partitions.ts'
import type { Finding } from '../finding.ts'
import { FormatError } from '../format-error.ts'
import {
  describeBootSector,
  isProtective,
  isUsed,
  MBR_SECTOR_BYTES,
  parseBootSector,
} from '../mbr/boot-sector.ts'
import type { PartitionTable } from '../partition-table.ts'
import { chooseGptCopy } from './choose-copy.ts'
import { parseGptEntry } from './entry.ts'
import { formatGuid } from './guid.ts'
import type { GptCopy } from './read-copy.ts'
import { gptSectorSizes } from './sector-sizes.ts'
import { gptTypeName } from './type-names.ts'

/**
 * The GUID partition table of a disk. The sector size is the image's, or, for the image of a disk whose sector size is
 * not known any more, the other usual one where a table is found with it. Throws FormatError when no copy is sound.
 */
export async function readGpt(image: FrozenImage): Promise<PartitionTable> {
  let firstError: FormatError | null = null
  for (const sectorSizeBytes of gptSectorSizes(image)) {
    try {
      return await readGptInSectors(image, sectorSizeBytes)
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
      firstError ??= error
    }
  }
  assert(firstError !== null)
  throw firstError
}

async function readGptInSectors(image: FrozenImage, sectorSizeBytes: number): Promise<PartitionTable> {
  const findings: Finding[] = []
  const sectors = { sizeBytes: sectorSizeBytes, count: Math.floor(image.sizeBytes / sectorSizeBytes) }
  const { used, other } = await chooseGptCopy(image, sectors, findings)
  const bootRanges = await readBootSector(image, sectorSizeBytes, findings)
  const bootSector = { offset: 0, length: sectorSizeBytes }
  const metadataRanges = mergedRanges([bootSector, ...used.ranges, ...(other?.ranges ?? [])])
  const entries = entriesOf(used, findings)
  const disk = { sizeBytes: image.sizeBytes, sectorSizeBytes }
  return {
    format: 'gpt',
    sectorSizeBytes,
    uuid: formatGuid(used.header.diskGuid),
    partitions: arrangePartitions(entries, disk, {
      metadataRanges: [...metadataRanges, ...withoutEntries(bootRanges, entries, sectorSizeBytes)],
      findings,
    }),
    containers: [],
    metadataRanges,
    findings,
  }
}

function entriesOf(copy: GptCopy, findings: Finding[]): PartitionEntry[] {
  const { entryCount, entrySizeBytes, firstUsableLba, lastUsableLba } = copy.header
  const entries: PartitionEntry[] = []
  for (let index = 0; index < entryCount; index += 1) {
    const number = index + 1
    const start = index * entrySizeBytes
    const place = { structure: `GPT entry ${number}`, offsetBytes: copy.entriesOffset + start }
    try {
      const entry = parseGptEntry(copy.entries.subarray(start, start + entrySizeBytes), place)
      if (entry === null) continue
      const { firstLba, lastLba } = entry
      if (firstLba < firstUsableLba || lastLba > lastUsableLba) {
        const found = `it is sectors ${firstLba} to ${lastLba}`
        addFinding(findings, place, `${found}, expected within ${firstUsableLba} to ${lastUsableLba}`)
      }
      entries.push({
        number,
        typeId: entry.typeGuid,
        typeName: gptTypeName(entry.typeGuid),
        name: entry.name,
        uuid: entry.uniqueGuid,
        flags: entry.flags,
        firstSector: firstLba,
        sectorCount: lastLba - firstLba + 1,
        entryOffsetBytes: place.offsetBytes,
      })
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
      addFinding(findings, error, error.found)
    }
  }
  return entries
}

/**
 * Sector 0 tells programs that know no GPT to leave the disk alone. The table is read whatever it says. Returns the
 * partitions of a hybrid one, which other systems see.
 */
async function readBootSector(
  image: FrozenImage,
  sectorSizeBytes: number,
  findings: Finding[],
): Promise<readonly Range[]> {
  const bytes = await readBytes(image, 0, MBR_SECTOR_BYTES)
  const { kind } = describeBootSector(bytes)
  if (kind === 'protective') return []
  const isHybrid = kind === 'hybrid'
  const found = isHybrid
    ? 'it is hybrid: other systems may see other partitions'
    : 'it has no protective partition of type 0xee'
  addFinding(findings, { structure: 'protective MBR', offsetBytes: 0 }, found)
  if (!isHybrid) return []
  return parseBootSector(bytes)
    .entries.filter((entry) => isUsed(entry) && !isProtective(entry))
    .map(({ firstSector, sectorCount }) => ({
      offset: firstSector * sectorSizeBytes,
      length: sectorCount * sectorSizeBytes,
    }))
}

/** Partitions of the boot sector that are not partitions of the table as well: what both have proves nothing. */
function withoutEntries(
  ranges: readonly Range[],
  entries: readonly PartitionEntry[],
  sectorSizeBytes: number,
): readonly Range[] {
  return ranges.filter(
    ({ offset, length }) =>
      !entries.some(
        ({ firstSector, sectorCount }) =>
          firstSector * sectorSizeBytes === offset && sectorCount * sectorSizeBytes === length,
      ),
  )
}
