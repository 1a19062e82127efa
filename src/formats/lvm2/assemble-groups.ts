import type { Range } from '../../domain/range.ts'
import { addFinding } from '../add-finding.ts'
import type { Finding } from '../finding.ts'
import { FormatError, UnmappedError } from '../format-error.ts'
import { groupCopies, newestGroup, type GroupCopy } from './group-copies.ts'
import { LABEL_SECTOR_COUNT, SECTOR_BYTES } from './layout.ts'
import type { PhysicalVolume } from './physical-volume.ts'
import { usesOfDevice } from './physical-uses.ts'
import type { GroupDevice, GroupImage, VolumeGroup } from './volume-group.ts'

/** What some devices together are. */
export type AssembledGroups = {
  readonly groups: readonly VolumeGroup[]
  /** Groups whose newest metadata cannot be understood. */
  readonly damaged: readonly { readonly name: string; readonly error: FormatError }[]
  /** The indexes of physical volumes that belong to none of `groups`. */
  readonly unclaimed: readonly number[]
  readonly findings: readonly Finding[]
}

/**
 * Puts the volume groups together that lie on `volumes`: of each group the newest metadata counts, and each of its
 * devices is looked for by its id. Throws UnmappedError when two images hold the same physical volume: nobody knows
 * which of them is the copy.
 */
export function assembleVolumeGroups(volumes: readonly PhysicalVolume[]): AssembledGroups {
  requireDistinct(volumes)
  const findings: Finding[] = volumes.flatMap((volume) => volume.findings)
  const groups: VolumeGroup[] = []
  const damaged: { name: string; error: FormatError }[] = []
  const copies = groupCopies(volumes, findings)
  const owners = ownersOf(copies)
  for (const ofGroup of copies.values()) {
    try {
      groups.push(newestGroup(ofGroup, findings))
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
      damaged.push({ name: ofGroup[0]?.parsed.identity.name ?? '', error })
    }
  }
  const claims = claimsOf(groups, owners, volumes)
  const seqnos = volumes.map((volume, index) => textSeqno(volume, index, copies))
  const found = groups.map((group) => withImages(group, { claims, volumes, seqnos }))
  const odd = found.flatMap((group) => findingsOf(group, volumes))
  const claimed = new Set(
    found.flatMap((group) => group.physicalVolumes.map((device) => device.image?.index ?? -1)),
  )
  const unclaimed = volumes.flatMap((_, index) => (claimed.has(index) ? [] : [index]))
  const known = new Set(groups.map((group) => group.uuid))
  for (const index of unclaimed) {
    const owner = owners.get(index)
    if (owner !== undefined && known.has(owner)) odd.push(...unclaimedFinding(owner, volumes[index]))
  }
  for (const finding of odd) addFinding(findings, finding, finding.found)
  return { groups: found, damaged, unclaimed, findings }
}

function requireDistinct(volumes: readonly PhysicalVolume[]): void {
  const indexes = new Map<string, number>()
  for (const [index, { label }] of volumes.entries()) {
    const other = indexes.get(label.uuid)
    if (other !== undefined) {
      throw new UnmappedError(
        'physical volume seen twice',
        `Cannot assemble volume groups: images ${other} and ${index} both hold physical volume ` +
          `"${label.uuid}", expected one image of each`,
      )
    }
    indexes.set(label.uuid, index)
  }
}

/** The group that each physical volume says it belongs to, by its own newest text. */
function ownersOf(copies: ReadonlyMap<string, readonly GroupCopy[]>): ReadonlyMap<number, string> {
  const newest = new Map<number, GroupCopy>()
  for (const copy of [...copies.values()].flat()) {
    const other = newest.get(copy.volumeIndex)
    if (other === undefined || other.parsed.identity.seqno < copy.parsed.identity.seqno) {
      newest.set(copy.volumeIndex, copy)
    }
  }
  return new Map([...newest].map(([index, copy]) => [index, copy.parsed.identity.uuid]))
}

/** Which group gets which image: the one that lists its id, unless its own text says that it is of another. */
function claimsOf(
  groups: readonly VolumeGroup[],
  owners: ReadonlyMap<number, string>,
  volumes: readonly PhysicalVolume[],
): ReadonlyMap<number, string> {
  const claims = new Map<number, string>()
  for (const [index, { label }] of volumes.entries()) {
    const claimants = groups.filter((group) =>
      group.physicalVolumes.some((device) => device.uuid === label.uuid),
    )
    const owner = owners.get(index)
    const suitable = claimants.filter((group) => owner === undefined || group.uuid === owner)
    const [group] = suitable
    // One that two groups list, and that has no text of its own, is in neither.
    if (group !== undefined && suitable.length === 1) claims.set(index, group.uuid)
  }
  return claims
}

/**
 * How new the newest text of a physical volume is: null when it has none, not a number when one of them cannot be read
 * or parsed.
 */
function textSeqno(
  { texts, hasUnreadArea }: PhysicalVolume,
  index: number,
  copies: ReadonlyMap<string, readonly GroupCopy[]>,
): number | null {
  const own = [...copies.values()].flat().filter(({ volumeIndex }) => volumeIndex === index)
  if (hasUnreadArea || own.length < texts.length) return Number.NaN
  return own.length === 0 ? null : Math.max(...own.map(({ parsed }) => parsed.identity.seqno))
}

type FoundVolumes = {
  readonly claims: ReadonlyMap<number, string>
  readonly volumes: readonly PhysicalVolume[]
  readonly seqnos: readonly (number | null)[]
}

function withImages(group: VolumeGroup, { claims, volumes, seqnos }: FoundVolumes): VolumeGroup {
  const indexes = new Map<string, number>()
  for (const [index, uuid] of claims) {
    const label = volumes[index]?.label
    if (uuid === group.uuid && label !== undefined) indexes.set(label.uuid, index)
  }
  const physicalVolumes = group.physicalVolumes.map((device): GroupDevice => {
    const index = indexes.get(device.uuid)
    const volume = index === undefined ? undefined : volumes[index]
    return index === undefined || volume === undefined
      ? device
      : { ...device, image: groupImage(index, volume, (seqnos[index] ?? group.seqno) === group.seqno) }
  })
  return { ...group, physicalVolumes }
}

function groupImage(
  index: number,
  { label, imageSizeBytes }: PhysicalVolume,
  isCurrent: boolean,
): GroupImage {
  const areas = [...label.metadataAreas, ...label.bootLoaderAreas]
  const ownRanges: Range[] = [
    { offset: 0, length: Math.min(LABEL_SECTOR_COUNT * SECTOR_BYTES, imageSizeBytes) },
    ...areas.flatMap(({ offset, sizeBytes }) => {
      const length = Math.min(sizeBytes, imageSizeBytes - offset)
      return length > 0 ? [{ offset, length }] : []
    }),
  ]
  return { index, sizeBytes: imageSizeBytes, ownRanges, isCurrent }
}

/** What is wrong with where the extents lie; the volumes that do not need them can be mapped all the same. */
function findingsOf(group: VolumeGroup, volumes: readonly PhysicalVolume[]): readonly Finding[] {
  return group.physicalVolumes.flatMap((device, index) => {
    const label = device.image === null ? undefined : volumes[device.image.index]?.label
    if (device.image === null || label === undefined) return []
    const place = { structure: `LVM2 physical volume ${device.uuid}`, offsetBytes: label.offset }
    const found: string[] = []
    const endBytes = device.peStartBytes + device.peCount * group.extentSizeBytes
    if (endBytes > device.image.sizeBytes) {
      found.push(`its extents end at byte ${endBytes}, the image has ${device.image.sizeBytes}`)
    }
    if (device.isMarkedMissing) found.push('its group goes without it, although it is here')
    const overlap = firstOverlap(usesOfDevice(group, index))
    if (overlap !== null) found.push(`two segments use its extent ${overlap}`)
    return found.map((sentence) => ({ ...place, found: sentence }))
  })
}

function firstOverlap(
  uses: readonly { readonly startExtent: number; readonly extentCount: number }[],
): number | null {
  let end = 0
  for (const { startExtent, extentCount } of uses) {
    if (startExtent < end) return startExtent
    end = startExtent + extentCount
  }
  return null
}

function unclaimedFinding(owner: string, volume: PhysicalVolume | undefined): readonly Finding[] {
  if (volume === undefined) return []
  const { uuid, offset } = volume.label
  const found = `its metadata is of volume group ${owner}, which does not have it`
  return [{ structure: `LVM2 physical volume ${uuid}`, offsetBytes: offset, found }]
}
