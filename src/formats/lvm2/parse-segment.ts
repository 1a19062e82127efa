import { SECTOR_BYTES } from './layout.ts'
import type { TextScalar, TextSection } from './text-section.ts'
import type {
  GroupDevice,
  PhysicalUse,
  Segment,
  SegmentArea,
  SegmentExtents,
  SegmentKind,
  SnapshotSegment,
  ThinPoolSegment,
  ThinSegment,
} from './volume-group.ts'

/** Of a chunk or a stripe: 2^32 sectors is beyond anything that device-mapper takes. */
const CHUNK_SECTORS_MAX = 2 ** 32
/** What thin metadata can address. */
const THIN_DEVICE_ID_MAX = 2 ** 24 - 1
/** Changes how much of a metadata volume is used, and nothing of what lies there. */
const HARMLESS_FLAGS: ReadonlySet<string> = new Set(['CROP_METADATA'])

/** What a segment is understood with. */
export type SegmentContext = {
  readonly extentSizeBytes: number
  readonly devices: readonly GroupDevice[]
  readonly deviceIndexes: ReadonlyMap<string, number>
}

/** Parses one segment of a logical volume. A type that is not known is kept by its name. */
export function parseSegment(section: TextSection, context: SegmentContext): Segment {
  const extents = {
    startExtent: section.integer('start_extent'),
    extentCount: section.integer('extent_count', { min: 1 }),
  }
  if (!Number.isSafeInteger((extents.startExtent + extents.extentCount) * context.extentSizeBytes)) {
    throw section.damage(`extent ${extents.startExtent}+${extents.extentCount} lies beyond 2^53 bytes`)
  }
  return { ...extents, ...parseKind(section, extents, context) }
}

function parseKind(section: TextSection, extents: SegmentExtents, context: SegmentContext): SegmentKind {
  const fullType = section.findString('type') ?? 'striped'
  // Flags that a tool must know in order to use the segment are written behind its type.
  const [type = '', ...flags] = fullType.split('+')
  if (flags.some((flag) => !HARMLESS_FLAGS.has(flag))) return unmapped(fullType, section, context)
  switch (type) {
    case 'striped':
    case 'linear':
      return parseStriped(section, extents, context)
    case 'zero':
      return { kind: 'zero' }
    case 'thin-pool':
      return { kind: 'thin-pool', ...parseThinPool(section) }
    case 'thin':
      return { kind: 'thin', ...parseThin(section) }
    case 'snapshot':
      return { kind: 'snapshot', ...parseSnapshot(section) }
    case 'mirror':
      return { ...unmapped(type, section, context), uses: usesOfMirror(section, extents, context) }
    default:
      return unmapped(fullType, section, context)
  }
}

function parseStriped(
  section: TextSection,
  { extentCount }: SegmentExtents,
  context: SegmentContext,
): SegmentKind {
  const areas = parseAreas(section, 'stripes', context)
  const stripeCount = section.integer('stripe_count', { min: 1 })
  if (areas.length !== stripeCount) {
    throw section.damage(`${areas.length} stripes are listed, expected ${stripeCount}`)
  }
  if (extentCount % stripeCount !== 0) {
    throw section.damage(`${extentCount} extents do not fill ${stripeCount} stripes equally`)
  }
  const areaExtents = extentCount / stripeCount
  requireOnDevices(areas, areaExtents, { section, context })
  const areaBytes = areaExtents * context.extentSizeBytes
  if (stripeCount === 1) return { kind: 'striped', stripeSizeBytes: areaBytes, areas }
  const stripeSizeBytes = SECTOR_BYTES * section.integer('stripe_size', { min: 1, max: CHUNK_SECTORS_MAX })
  if (areaBytes % stripeSizeBytes !== 0) {
    throw section.damage(`stripes of ${stripeSizeBytes} bytes do not fill ${areaBytes} bytes`)
  }
  return { kind: 'striped', stripeSizeBytes, areas }
}

/** An array of pairs: what it lies on, and the extent that it begins at. */
function parseAreas(
  section: TextSection,
  name: string,
  { deviceIndexes }: SegmentContext,
): readonly SegmentArea[] {
  const items = section.findArray(name)
  const areas: SegmentArea[] = []
  for (let index = 0; index < items.length; index += 2) {
    const target = items[index]
    const start = items[index + 1]
    if (target?.kind !== 'string' || start === undefined) {
      throw section.damage(`"${name}" is not made of pairs of a name and an extent`)
    }
    const startExtent = section.asInteger(name, start)
    const device = deviceIndexes.get(target.value)
    areas.push(
      device === undefined
        ? { kind: 'logical', volumeName: target.value, startExtent }
        : { kind: 'physical', device, startExtent },
    )
  }
  return areas
}

function requireOnDevices(
  areas: readonly SegmentArea[],
  extentCount: number,
  { section, context }: { readonly section: TextSection; readonly context: SegmentContext },
): void {
  for (const area of areas) {
    if (area.kind === 'logical') continue
    const device = context.devices[area.device]
    if (device === undefined || area.startExtent + extentCount > device.peCount) {
      throw section.damage(
        `extent ${area.startExtent}+${extentCount} of "${device?.name}" is used, it has ${device?.peCount}`,
      )
    }
  }
}

function parseThinPool(section: TextSection): ThinPoolSegment {
  return {
    dataVolumeName: section.string('pool'),
    metadataVolumeName: section.string('metadata'),
    transactionId: section.integer('transaction_id'),
    chunkSizeBytes: parseChunkSize(section),
    zeroesNewChunks: section.findInteger('zero_new_blocks') === 1,
    discards: section.findString('discards') ?? 'passdown',
    hasPendingMessages: section.sections.length > 0,
  }
}

function parseThin(section: TextSection): ThinSegment {
  return {
    poolName: section.string('thin_pool'),
    deviceId: section.integer('device_id', { max: THIN_DEVICE_ID_MAX }),
    transactionId: section.integer('transaction_id'),
    originName: section.findString('origin'),
    externalOriginName: section.findString('external_origin'),
    mergeName: section.findString('merge'),
  }
}

function parseSnapshot(section: TextSection): SnapshotSegment {
  const mergingName = section.findString('merging_store')
  const storeName = section.findString('cow_store')
  if (mergingName !== null && storeName !== null) throw section.damage('a snapshot has two stores')
  return {
    originName: section.string('origin'),
    storeName: mergingName ?? section.string('cow_store'),
    chunkSizeBytes: parseChunkSize(section),
    isMerging: mergingName !== null,
  }
}

function parseChunkSize(section: TextSection): number {
  return SECTOR_BYTES * section.integer('chunk_size', { min: 1, max: CHUNK_SECTORS_MAX })
}

/** A mirror's images are whole copies, each from its extent on; while extents are moved they lie on devices. */
function usesOfMirror(
  section: TextSection,
  { extentCount }: SegmentExtents,
  context: SegmentContext,
): readonly PhysicalUse[] {
  const areas = parseAreas(section, 'mirrors', context)
  requireOnDevices(areas, extentCount, { section, context })
  return areas.flatMap((area) =>
    area.kind === 'physical' ? [{ device: area.device, startExtent: area.startExtent, extentCount }] : [],
  )
}

type UnmappedSegment = Extract<SegmentKind, { kind: 'unmapped' }>

/** Nobody knows what a type that is not known uses of a physical volume that it names: all of it, then. */
function unmapped(type: string, section: TextSection, context: SegmentContext): UnmappedSegment {
  const devices = new Set<number>()
  const names: string[] = []
  for (const { kind, value } of scalarsIn(section)) {
    if (kind !== 'string') continue
    const device = context.deviceIndexes.get(value)
    if (device === undefined) names.push(value)
    else devices.add(device)
  }
  const uses = [...devices].map((device) => ({
    device,
    startExtent: 0,
    extentCount: context.devices[device]?.peCount ?? 0,
  }))
  return { kind: 'unmapped', type, uses, names }
}

function* scalarsIn(section: TextSection): Generator<TextScalar> {
  for (const value of section.values.values()) {
    if (value.kind === 'section') yield* scalarsIn(value.section)
    else if (value.kind === 'array') yield* value.items
    else yield value
  }
}
