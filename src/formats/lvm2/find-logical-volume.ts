import type { LogicalVolume, VolumeGroup } from './volume-group.ts'

const INDEXES = new WeakMap<VolumeGroup, ReadonlyMap<string, LogicalVolume>>()

/** The volume of that name, hidden ones too; null when there is none. */
export function findLogicalVolume(group: VolumeGroup, name: string): LogicalVolume | null {
  let index = INDEXES.get(group)
  if (index === undefined) {
    index = new Map(group.logicalVolumes.map((volume) => [volume.name, volume]))
    INDEXES.set(group, index)
  }
  return index.get(name) ?? null
}
