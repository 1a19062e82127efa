import type { FrozenImage } from '../../domain/frozen-image.ts'
import { readBytes } from '../../images/read-bytes.ts'
import { addFinding } from '../add-finding.ts'
import type { Finding } from '../finding.ts'
import { FormatError, type StructurePlace } from '../format-error.ts'
import { LABEL_SECTOR_COUNT, SECTOR_BYTES } from './layout.ts'
import { readMetadataArea, type MetadataText } from './metadata-area.ts'
import {
  hasLabelId,
  parsePhysicalVolumeLabel,
  type PhysicalArea,
  type PhysicalVolumeLabel,
} from './physical-volume-label.ts'

/** One device of LVM, read from its bytes. */
export type PhysicalVolume = {
  readonly label: PhysicalVolumeLabel
  readonly imageSizeBytes: number
  /** One of each metadata area that holds one; they may differ in age. */
  readonly texts: readonly MetadataText[]
  /** Some metadata area could not be read: nobody knows how new its text was. */
  readonly hasUnreadArea: boolean
  readonly findings: readonly Finding[]
}

/** LVM has two areas at most, at the start and at the end of a device. */
const TEXT_COUNT_MAX = 4
/** A label is looked for in so many bytes. */
const HEAD_BYTES = LABEL_SECTOR_COUNT * SECTOR_BYTES

/**
 * Reads the label and all metadata areas of a device; null when it has no label, and is no physical volume.
 * Throws FormatError when it has one that is damaged. A damaged metadata area is a finding: another area, here or
 * on another device of the group, has the same text.
 */
export async function readPhysicalVolume(image: FrozenImage): Promise<PhysicalVolume | null> {
  const findings: Finding[] = []
  const label = await findLabel(image, findings)
  if (label === null) return null
  const texts: MetadataText[] = []
  let hasUnreadArea = false
  for (const area of label.metadataAreas) {
    if (texts.length === TEXT_COUNT_MAX) {
      addFinding(findings, place(area), `it is one of more than ${TEXT_COUNT_MAX}, and is not read`)
      hasUnreadArea = true
      break
    }
    const text = await readAreaOrFinding(image, area, findings)
    if (text === 'unread') hasUnreadArea = true
    else if (text !== null) texts.push(text)
  }
  return { label, imageSizeBytes: image.sizeBytes, texts, hasUnreadArea, findings }
}

async function findLabel(image: FrozenImage, findings: Finding[]): Promise<PhysicalVolumeLabel | null> {
  const head = await readBytes(image, 0, Math.min(HEAD_BYTES, image.sizeBytes))
  const labels: PhysicalVolumeLabel[] = []
  const failures: FormatError[] = []
  for (let offset = 0; offset + SECTOR_BYTES <= head.byteLength; offset += SECTOR_BYTES) {
    const sector = head.subarray(offset, offset + SECTOR_BYTES)
    if (!hasLabelId(sector)) continue
    try {
      labels.push(parsePhysicalVolumeLabel(sector, offset))
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
      failures.push(error)
    }
  }
  const [label, ...others] = labels
  if (label === undefined) {
    const [failure] = failures
    if (failure !== undefined) throw failure
    return null
  }
  for (const failure of failures) addFinding(findings, failure, failure.found)
  for (const other of others) {
    const found = `it is a second one, of ${other.uuid}; the one at byte ${label.offset} counts`
    addFinding(findings, { structure: 'LVM2 physical volume label', offsetBytes: other.offset }, found)
  }
  return label
}

async function readAreaOrFinding(
  image: FrozenImage,
  area: PhysicalArea,
  findings: Finding[],
): Promise<MetadataText | 'unread' | null> {
  try {
    const { text, hasPrecommitted } = await readMetadataArea(image, area)
    if (hasPrecommitted) {
      const found = 'a change was about to be committed; what was committed before counts'
      addFinding(findings, place(area), found)
    }
    return text
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    addFinding(findings, error, error.found)
    return 'unread'
  }
}

function place(area: PhysicalArea): StructurePlace {
  return { structure: 'LVM2 metadata area', offsetBytes: area.offset }
}
