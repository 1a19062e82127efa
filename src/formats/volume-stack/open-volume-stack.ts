import assert from 'node:assert/strict'
import type { FrozenImage } from '../../domain/frozen-image.ts'
import { cachedImage } from '../../images/cached-image.ts'
import { PageCache } from '../../images/page-cache.ts'
import { sliceImage } from '../../images/slice-image.ts'
import { FormatError, UnmappedError } from '../format-error.ts'
import { assembleVolumeGroups } from '../lvm2/assemble-groups.ts'
import { readPhysicalVolume, type PhysicalVolume } from '../lvm2/physical-volume.ts'
import { openLogicalVolumes } from './open-logical-volumes.ts'
import type { MapBudget } from './read-volume-map.ts'
import { readContent } from './read-content.ts'
import type { StackGroup, UnmappedVolume, Volume, VolumeOrigin, VolumeStack } from './volume.ts'

/** Partitions in logical volumes on partitions: deeper than people go, and an end for what refers to itself. */
const LAYERS_MAX = 8
/** Of all layers together. What lies beyond is data. */
const VOLUMES_MAX = 10_000
/** Of thin volumes and snapshots of all groups together: 384 MB at most. */
const MAPPED_EXTENTS_MAX = 16_000_000

export type StackLimits = {
  /** Of all maps that are kept in memory, together. */
  readonly mappedExtentCountMax?: number
  readonly volumeCountMax?: number
}

type Building = {
  readonly volumes: Volume[]
  readonly groups: StackGroup[]
  readonly unmapped: UnmappedVolume[]
  readonly findings: VolumeStack['findings'][number][]
  readonly signal: AbortSignal
  readonly budget: MapBudget
  readonly volumeCountMax: number
  readonly names: Set<string>
  readonly physical: PhysicalPart[]
}

type PhysicalPart = { readonly volume: Volume; readonly physical: PhysicalVolume }

/**
 * Finds all that lies on some images: partitions, volume groups that span them, logical volumes, file systems. The
 * images are borrowed, and must outlive the stack. Damage ends at the volume that has it: it is `unmapped` then, and
 * data all over.
 */
export async function openVolumeStack(
  images: readonly { readonly name: string; readonly image: FrozenImage }[],
  signal: AbortSignal,
  limits: StackLimits = {},
): Promise<VolumeStack> {
  const { mappedExtentCountMax = MAPPED_EXTENTS_MAX, volumeCountMax = VOLUMES_MAX } = limits
  const stack: Building = {
    volumes: [],
    groups: [],
    unmapped: [],
    findings: [],
    signal,
    budget: { extentCount: mappedExtentCountMax },
    volumeCountMax,
    names: new Set(),
    physical: [],
  }
  // One for all that is on them: volumes and file systems, however many, read through it.
  const cache = new PageCache()
  for (const [index, { name, image }] of images.entries()) {
    const origin: VolumeOrigin = { kind: 'image', index }
    const volume = { name: images.length === 1 ? '' : name, origin, image: cachedImage(image, cache) }
    await addVolume(stack, volume, 0)
  }
  for (let layer = 1; layer <= LAYERS_MAX && stack.physical.length > 0; layer += 1) {
    signal.throwIfAborted()
    await addGroups(stack, layer, signal)
  }
  return stack
}

type NewVolume = Pick<Volume, 'name' | 'origin' | 'image'>

async function addVolume(stack: Building, made: NewVolume, layer: number): Promise<void> {
  if (stack.volumes.length >= stack.volumeCountMax) {
    noteTooMany(stack)
    return
  }
  const content = await readContent(made.image, stack.signal)
  const volume = { ...made, name: uniqueName(stack, made.name), content }
  stack.volumes.push(volume)
  if (content.kind === 'partition-table' && layer < LAYERS_MAX) await addPartitions(stack, volume, layer)
  if (content.kind === 'physical-volume') await addPhysicalVolume(stack, volume)
}

/** Copies of machines have groups and volumes of one name: the second `vg0/home` is `vg0/home#2`. */
function uniqueName({ names }: Building, name: string): string {
  let unique = name
  for (let copy = 2; names.has(unique); copy += 1) unique = `${name}#${copy}`
  names.add(unique)
  return unique
}

function noteTooMany({ findings, volumeCountMax }: Building): void {
  const structure = 'stack of volumes'
  if (findings.some((finding) => finding.structure === structure)) return
  findings.push({
    structure,
    offsetBytes: 0,
    found: `it has more than ${volumeCountMax} volumes, the others are not looked into`,
    volume: '',
  })
}

async function addPartitions(stack: Building, disk: Volume, layer: number): Promise<void> {
  assert(disk.content.kind === 'partition-table')
  const { table } = disk.content
  stack.findings.push(...table.findings.map((finding) => ({ ...finding, volume: disk.name })))
  for (const partition of table.partitions) {
    const name = nameBelow(disk, `p${partition.number}`)
    const origin: VolumeOrigin = { kind: 'partition', disk, partition }
    await addVolume(stack, { name, origin, image: sliceImage(disk.image, partition.range) }, layer + 1)
  }
}

async function addPhysicalVolume(stack: Building, volume: Volume): Promise<void> {
  try {
    const physical = await readPhysicalVolume(volume.image)
    if (physical !== null) stack.physical.push({ volume, physical })
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    const { structure, offsetBytes, message } = error
    stack.findings.push({ structure, offsetBytes, found: message, volume: volume.name })
  }
}

/** Puts together what was found since the last time. A group whose parts lie in different layers is not put together. */
async function addGroups(stack: Building, layer: number, signal: AbortSignal): Promise<void> {
  const parts = withoutTwins(stack, stack.physical.splice(0))
  const assembled = assembleOrNone(stack, parts)
  for (const group of assembled) {
    const devices = group.physicalVolumes.map(({ image }) =>
      image === null ? null : (parts[image.index]?.volume ?? null),
    )
    const stackGroup = { group, devices }
    stack.groups.push(stackGroup)
    const opened = await openLogicalVolumes(stackGroup, { budget: stack.budget, signal })
    for (const volume of opened.unmapped) {
      stack.unmapped.push({ ...volume, name: uniqueName(stack, volume.name) })
    }
    for (const { name, origin, image } of opened.volumes) {
      await addVolume(stack, { name, origin, image }, layer + 1)
    }
  }
}

/**
 * Of a physical volume that is there twice nobody knows which one is the copy: both are left out. It is one disk under
 * two names, or the disks of two machines of which one was made from the other.
 */
function withoutTwins(stack: Building, parts: readonly PhysicalPart[]): readonly PhysicalPart[] {
  const byUuid = Map.groupBy(parts, ({ physical }) => physical.label.uuid)
  return parts.filter(({ volume, physical: { label } }) => {
    const twin = byUuid.get(label.uuid)?.find((other) => other.volume !== volume)
    if (twin === undefined) return true
    const found = `it is also on "${twin.volume.name}": neither is part of a volume group here`
    const structure = `LVM2 physical volume ${label.uuid}`
    stack.findings.push({ structure, offsetBytes: label.offset, found, volume: volume.name })
    return false
  })
}

function assembleOrNone(stack: Building, parts: readonly PhysicalPart[]): readonly StackGroup['group'][] {
  try {
    const assembled = assembleVolumeGroups(parts.map(({ physical }) => physical))
    stack.findings.push(...assembled.findings.map((finding) => ({ ...finding, volume: '' })))
    for (const { name, error } of assembled.damaged) {
      const { structure, offsetBytes, message } = error
      stack.findings.push({ structure, offsetBytes, found: message, volume: name })
    }
    return assembled.groups
  } catch (error) {
    if (!(error instanceof UnmappedError)) throw error
    stack.findings.push({ structure: error.what, offsetBytes: 0, found: error.message, volume: '' })
    return []
  }
}

function nameBelow(volume: Volume, name: string): string {
  return volume.name === '' ? name : `${volume.name}/${name}`
}
