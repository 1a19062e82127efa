import type { FormatError } from '../format-error.ts'
import { SECTOR_BYTES } from './layout.ts'
import { isLvmUuid } from './lvm-uuid.ts'
import { parseSegment, type SegmentContext } from './parse-segment.ts'
import { parseText } from './parse-text.ts'
import { requireSoundReferences } from './segment-references.ts'
import type { TextSection } from './text-section.ts'
import type { TextPlace } from './text-tokens.ts'
import type { GroupDevice, LogicalVolume, Segment, VolumeGroup } from './volume-group.ts'

const CONTENTS = 'Text Format Volume Group'
const VERSION = 1
/** lvm(8), "VALID NAMES"; no name of that form leads out of a folder. */
const VALID_NAME = /^(?!\.{1,2}$)[A-Za-z0-9_+.][A-Za-z0-9_+.-]{0,126}$/
/** 2^32 sectors: as much as the tools know. */
const EXTENT_SECTORS_MAX = 2 ** 32
/** Of a time since 1970. */
const SECONDS_MAX = Math.floor(Number.MAX_SAFE_INTEGER / 1000)

/** Who a text is of: enough to tell which of several is the newest. */
export type GroupIdentity = { readonly name: string; readonly uuid: string; readonly seqno: number }

/** A text whose grammar is sound, and the group that it is of. */
export type GroupText = { readonly identity: GroupIdentity; readonly section: TextSection }

/** Parses the text of a metadata area, or of a file that `vgcfgbackup` wrote, up to the name of its group. */
export function parseGroupText(bytes: Uint8Array, place: TextPlace): GroupText {
  const top = parseText(withoutEndingZeros(bytes), place)
  const contents = top.string('contents')
  if (contents !== CONTENTS) throw top.damage(`its contents are "${contents}", expected "${CONTENTS}"`)
  top.integer('version', { min: VERSION, max: VERSION })
  const [first, ...others] = top.sections
  if (first === undefined || others.length > 0) {
    throw top.damage(`it describes ${top.sections.length} volume groups, expected 1`)
  }
  const [name, section] = first
  requireName(name, section, 'volume group')
  return { identity: { name, uuid: uuidOf(section), seqno: section.integer('seqno') }, section }
}

/** What the text says of its group. No physical volume is on an image yet. */
export function parseVolumeGroup({ identity, section }: GroupText): VolumeGroup {
  const extentSizeBytes = SECTOR_BYTES * section.integer('extent_size', { min: 1, max: EXTENT_SECTORS_MAX })
  const physicalVolumes = sectionsOf(section, 'physical_volumes').map(([name, inner]) =>
    parseDevice(name, inner, extentSizeBytes),
  )
  const context = {
    extentSizeBytes,
    devices: physicalVolumes,
    deviceIndexes: indexesByName(physicalVolumes, section),
  }
  const logicalVolumes = withVisibleSnapshots(
    sectionsOf(section, 'logical_volumes').map(([name, inner]) => parseLogicalVolume(name, inner, context)),
  )
  const status = section.findStrings('status')
  const group = { ...identity, extentSizeBytes, status, physicalVolumes, logicalVolumes }
  requireSoundReferences(group, (found) => section.damage(found))
  return group
}

/** The text is followed by zeros up to the size that its area gives. */
function withoutEndingZeros(bytes: Uint8Array): Uint8Array {
  let end = bytes.length
  while (end > 0 && bytes[end - 1] === 0) end -= 1
  return bytes.subarray(0, end)
}

function sectionsOf(
  section: TextSection,
  name: string,
): readonly (readonly [name: string, section: TextSection])[] {
  return section.findSection(name)?.sections ?? []
}

function parseDevice(name: string, section: TextSection, extentSizeBytes: number): GroupDevice {
  const peStartSectors = section.integer('pe_start', { max: sectorsMax(Number.MAX_SAFE_INTEGER) })
  const peStartBytes = SECTOR_BYTES * peStartSectors
  const peCountMax = Math.floor((Number.MAX_SAFE_INTEGER - peStartBytes) / extentSizeBytes)
  return {
    name,
    uuid: uuidOf(section),
    deviceHint: section.findString('device') ?? '',
    deviceSizeBytes:
      SECTOR_BYTES * (section.findInteger('dev_size', { max: sectorsMax(Number.MAX_SAFE_INTEGER) }) ?? 0),
    peStartBytes,
    peCount: section.integer('pe_count', { max: peCountMax }),
    isMarkedMissing: [...section.findStrings('status'), ...section.findStrings('flags')].includes('MISSING'),
    image: null,
  }
}

function sectorsMax(bytes: number): number {
  return Math.floor(bytes / SECTOR_BYTES)
}

function indexesByName(devices: readonly GroupDevice[], section: TextSection): ReadonlyMap<string, number> {
  if (new Set(devices.map((device) => device.uuid)).size < devices.length) {
    throw section.damage('two of its physical volumes have the same id')
  }
  return new Map(devices.map((device, index) => [device.name, index]))
}

function parseLogicalVolume(name: string, section: TextSection, context: SegmentContext): LogicalVolume {
  requireName(name, section, 'logical volume')
  const segments = section.sections
    .map(([, inner]) => parseSegment(inner, context))
    .toSorted((a, b) => a.startExtent - b.startExtent)
  const segmentCount = section.integer('segment_count')
  if (segmentCount !== segments.length) {
    throw section.damage(`"${name}" has ${segments.length} segments, expected ${segmentCount}`)
  }
  const extentCount = requireWithoutGaps(segments, (found) => section.damage(`"${name}" ${found}`))
  if (!Number.isSafeInteger(extentCount * context.extentSizeBytes)) {
    throw section.damage(`"${name}" has ${extentCount} extents, its size is no number of bytes below 2^53`)
  }
  const status = section.findStrings('status')
  return {
    name,
    uuid: uuidOf(section),
    isVisible: status.includes('VISIBLE'),
    isReadOnly: !status.includes('WRITE'),
    tags: section.findStrings('tags'),
    createdAtMs: 1000 * (section.findInteger('creation_time', { max: SECONDS_MAX }) ?? 0),
    extentCount,
    sizeBytes: extentCount * context.extentSizeBytes,
    segments,
  }
}

/** Users see the store of a snapshot, under its name, and never the volume that links it to its origin. */
function withVisibleSnapshots(volumes: readonly LogicalVolume[]): readonly LogicalVolume[] {
  const stores = new Set<string>()
  for (const { segments } of volumes) {
    const [segment] = segments
    if (segment?.kind === 'snapshot' && !segment.isMerging) stores.add(segment.storeName)
  }
  return volumes.map((volume) => {
    if (volume.segments[0]?.kind === 'snapshot') return { ...volume, isVisible: false }
    return stores.has(volume.name) ? { ...volume, isVisible: true } : volume
  })
}

/** The extents of a volume whose segments follow one another from extent 0 on. */
function requireWithoutGaps(segments: readonly Segment[], damage: (found: string) => FormatError): number {
  let next = 0
  for (const { startExtent, extentCount } of segments) {
    if (startExtent !== next) throw damage(`has a segment at extent ${startExtent}, expected one at ${next}`)
    next += extentCount
  }
  return next
}

function uuidOf(section: TextSection): string {
  const uuid = section.string('id')
  if (!isLvmUuid(uuid)) throw section.damage(`the id of "${section.path}" is not of the form 6-4-4-4-4-4-6`)
  return uuid
}

function requireName(name: string, section: TextSection, what: string): void {
  if (VALID_NAME.test(name)) return
  throw section.damage(`${JSON.stringify(name)} is not a valid name of a ${what}`)
}
