import { openLogicalVolume } from '../../formats/lvm2/logical-volume-extents.ts'
import type { StackGroup } from '../../formats/volume-stack/volume.ts'
import { thinContent } from './thin-content.ts'

/** What LVM's text says of where a thin volume's bytes are. */
export type ThinPlace = {
  /** By which the pool knows it. */
  readonly deviceId: number
  /** Where the pool's data lies on the disks: the same text, the same places. */
  readonly data: string
}

/** Throws IMAGE_LOST when the group has the volume no more. */
export function thinPlace(
  group: StackGroup,
  volume: { readonly id: string; readonly label: string },
): ThinPlace {
  const { pool, deviceId } = thinContent(group, volume)
  const data = openLogicalVolume(group.group, pool.dataVolume)
  const devices = group.group.physicalVolumes.map(({ uuid }) => uuid)
  const segments = [...data.extentsIn({ offset: 0, length: data.sizeBytes })]
  return { deviceId, data: JSON.stringify({ devices, segments }) }
}
