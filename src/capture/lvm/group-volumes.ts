import type { LvmGroup, LvmVolume } from '../../domain/logical-volume.ts'
import { findLogicalVolume } from '../../formats/lvm2/find-logical-volume.ts'
import { usesOfDevice } from '../../formats/lvm2/physical-uses.ts'
import type { LogicalVolume, Segment, VolumeGroup } from '../../formats/lvm2/volume-group.ts'

/** What `lvs` reports of a group's volumes, by the group's own text; `active` are those that have a device. */
export function volumesOfGroup(group: VolumeGroup, active: ReadonlySet<string>): readonly LvmVolume[] {
  const snapshots = new Map(
    group.logicalVolumes.flatMap(({ segments: [segment] }) =>
      segment?.kind === 'snapshot' ? [[segment.storeName, segment.originName] as const] : [],
    ),
  )
  const uuidOf = (name: string | null): string | null =>
    name === null ? null : (findLogicalVolume(group, name)?.uuid ?? null)
  return group.logicalVolumes
    .filter(({ isVisible }) => isVisible)
    .map((volume): LvmVolume => {
      const [segment] = volume.segments
      const thin = segment?.kind === 'thin' ? segment : null
      const origin = snapshots.get(volume.name) ?? thin?.originName ?? thin?.externalOriginName ?? null
      return {
        ...factsOf(volume),
        groupName: group.name,
        groupUuid: group.uuid,
        segmentType: segment === undefined ? '' : typeOf(segment),
        isClassicSnapshot: snapshots.has(volume.name),
        isActive: active.has(volume.uuid),
        poolName: thin?.poolName ?? null,
        thinId: thin?.deviceId ?? null,
        originUuid: uuidOf(origin),
      }
    })
}

function factsOf({
  uuid,
  name,
  sizeBytes,
  tags,
  createdAtMs,
}: LogicalVolume): Pick<LvmVolume, 'uuid' | 'name' | 'sizeBytes' | 'tags' | 'createdAtMs'> {
  return { uuid, name, sizeBytes, tags, createdAtMs }
}

function typeOf(segment: Segment): string {
  if (segment.kind === 'unmapped') return segment.type
  if (segment.kind !== 'striped') return segment.kind
  return segment.areas.length === 1 ? 'linear' : 'striped'
}

/** What `vgs` reports of its room. */
export function roomOfGroup(group: VolumeGroup): Pick<LvmGroup, 'name' | 'freeBytes' | 'extentSizeBytes'> {
  const { name, extentSizeBytes } = group
  let freeExtents = 0
  for (const [index, { peCount }] of group.physicalVolumes.entries()) {
    freeExtents += peCount
    for (const { extentCount } of usesOfDevice(group, index)) freeExtents -= extentCount
  }
  return { name, extentSizeBytes, freeBytes: freeExtents * extentSizeBytes }
}
