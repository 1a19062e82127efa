import { isSameBytes } from '../../bytes/same-bytes.ts'
import { addFinding } from '../add-finding.ts'
import type { Finding } from '../finding.ts'
import { FormatError } from '../format-error.ts'
import type { MetadataText } from './metadata-area.ts'
import { parseGroupText, parseVolumeGroup, type GroupText } from './parse-volume-group.ts'
import type { PhysicalVolume } from './physical-volume.ts'
import type { VolumeGroup } from './volume-group.ts'

/** A text of a volume group, and the physical volume that it lies on. */
export type GroupCopy = {
  readonly volumeIndex: number
  readonly text: MetadataText
  readonly parsed: GroupText
}

/** All texts of all devices whose grammar is sound, by the id of their group. Those that are not are findings. */
export function groupCopies(
  volumes: readonly PhysicalVolume[],
  findings: Finding[],
): ReadonlyMap<string, readonly GroupCopy[]> {
  const copies = new Map<string, GroupCopy[]>()
  // The devices of a group hold the same text: it is parsed once.
  const known: GroupCopy[] = []
  for (const [volumeIndex, { label, texts }] of volumes.entries()) {
    for (const text of texts) {
      const same = known.find((copy) => isSameText(copy.text, text))
      const parsed = same?.parsed ?? parseOrFinding(text, label.uuid, findings)
      if (parsed === null) continue
      const copy = { volumeIndex, text, parsed }
      if (same === undefined) known.push(copy)
      const { uuid } = parsed.identity
      copies.set(uuid, [...(copies.get(uuid) ?? []), copy])
    }
  }
  return copies
}

function isSameText(a: MetadataText, b: MetadataText): boolean {
  return a.checksum === b.checksum && isSameBytes(a.bytes, b.bytes)
}

function parseOrFinding(text: MetadataText, volumeUuid: string, findings: Finding[]): GroupText | null {
  try {
    return parseGroupText(text.bytes, (position) => ({
      structure: `LVM2 metadata text on physical volume ${volumeUuid}`,
      offsetBytes: text.offsetOf(position),
    }))
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    addFinding(findings, error, error.found)
    return null
  }
}

/**
 * The group as the newest of its copies describes it; older ones are findings. Throws FormatError when the newest is
 * damaged, or when two that are equally new differ: an older one would be a wrong map.
 */
export function newestGroup(copies: readonly GroupCopy[], findings: Finding[]): VolumeGroup {
  const seqno = Math.max(...copies.map((copy) => copy.parsed.identity.seqno))
  const newest = copies.filter((copy) => copy.parsed.identity.seqno === seqno)
  for (const { parsed } of copies) {
    if (parsed.identity.seqno === seqno) continue
    const found = `it is of seqno ${parsed.identity.seqno}, expected ${seqno} as in the newest copy`
    addFinding(findings, parsed.section.placeOf(parsed.section.position), found)
  }
  const [group, ...others] = [...new Set(newest.map((copy) => copy.parsed))].map((parsed) => ({
    parsed,
    value: parseVolumeGroup(parsed),
  }))
  if (group === undefined) throw new RangeError('A group has at least one copy')
  for (const other of others) {
    // Copies that one command wrote may differ in what is not the group itself, the time of writing.
    if (JSON.stringify(other.value) === JSON.stringify(group.value)) continue
    throw other.parsed.section.damage(`another copy is of seqno ${seqno} too, and differs`)
  }
  return group.value
}
