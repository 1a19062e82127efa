import { crc32 } from '../../../src/bytes/crc32.ts'
import {
  gptEntryFields,
  gptHeaderFields,
  mbrFields,
  storeAreaFields,
  storeHeaderFields,
} from '../fields/volume-fields.ts'
import { rewrite, viewOf, type LocalStructure, type Target } from '../structure.ts'

const SECTOR = 512

/** Both headers of a GUID table and their entries, and the sector before them. */
export function findGpt(target: Target): LocalStructure[] {
  const found: LocalStructure[] = [sector('protective MBR', 0)]
  for (const offset of [SECTOR, target.sizeBytes - SECTOR]) {
    const header = { offset, length: SECTOR }
    const view = viewOf(target.read(offset, SECTOR))
    const entries = {
      offset: Number(view.getBigUint64(72, true)) * SECTOR,
      length: view.getUint32(80, true) * 128,
    }
    const mendHeader = (mended: Target): void =>
      rewrite(mended, header, (bytes, headerView) => {
        const size = Math.min(headerView.getUint32(12, true), SECTOR)
        headerView.setUint32(16, 0)
        headerView.setUint32(16, crc32(bytes.subarray(0, size)), true)
      })
    const mendEntries = (mended: Target): void => {
      const checksum = crc32(mended.read(entries.offset, entries.length))
      rewrite(mended, header, (_, headerView) => headerView.setUint32(88, checksum, true))
      mendHeader(mended)
    }
    const shared = { blockBytes: SECTOR, isChecked: true }
    // As much as its checksum is of; what follows in the sector is nothing.
    const length = view.getUint32(12, true)
    found.push({ kind: 'header', offset, length, ...shared, fields: gptHeaderFields, mend: mendHeader })
    // The first of them: the rest is empty.
    found.push({
      kind: 'entries',
      offset: entries.offset,
      length: 1024,
      ...shared,
      fields: gptEntryFields,
      mend: mendEntries,
    })
  }
  return found
}

/** All boot sectors: the first one, and the links of the chain of logical partitions. */
export function findMbr(target: Target): LocalStructure[] {
  const found: LocalStructure[] = []
  for (let offset = 0; offset + SECTOR <= target.sizeBytes; offset += SECTOR) {
    const bytes = target.read(offset, SECTOR)
    if (bytes[510] !== 0x55 || bytes[511] !== 0xaa) continue
    // Where the four entries are; before them is only code.
    found.push({
      kind: 'entries',
      offset: offset + 446,
      length: 64,
      blockBytes: SECTOR,
      fields: entriesFields,
      mend: () => {},
    })
    found.push(sector('boot sector', offset))
  }
  return found
}

/** The header and the areas of a snapshot's store; nothing in it has a checksum. */
export function findSnapshotStore(target: Target): LocalStructure[] {
  const chunkBytes = viewOf(target.read(0, 16)).getUint32(12, true) * SECTOR
  const found: LocalStructure[] = [
    {
      kind: 'header',
      offset: 0,
      length: 16,
      blockBytes: chunkBytes,
      fields: storeHeaderFields,
      mend: () => {},
    },
  ]
  const stride = (chunkBytes / 16 + 1) * chunkBytes
  for (let offset = chunkBytes; offset + chunkBytes <= target.sizeBytes; offset += stride) {
    const run = { offset, length: chunkBytes, blockBytes: chunkBytes }
    found.push({ kind: 'area', ...run, fields: storeAreaFields, mend: () => {} })
  }
  return found
}

function entriesFields(): ReturnType<typeof mbrFields> {
  return mbrFields(0)
}

function sector(kind: string, offset: number): LocalStructure {
  return { kind, offset, length: SECTOR, blockBytes: SECTOR, fields: () => mbrFields(446), mend: () => {} }
}
