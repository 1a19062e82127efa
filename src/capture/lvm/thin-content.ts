import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import { volumeContent, type ThinPool } from '../../formats/lvm2/volume-content.ts'
import type { LogicalVolume } from '../../formats/lvm2/volume-group.ts'
import type { StackGroup } from '../../formats/volume-stack/volume.ts'
import { volumeOf } from './live-group.ts'

/** A thin volume, and what its pool knows it by. */
export type ThinContent = {
  readonly volume: LogicalVolume
  readonly pool: ThinPool
  readonly deviceId: number
}

/** The thin volume of that UUID. Throws IMAGE_LOST when the group has it no more. */
export function thinContent(
  group: StackGroup,
  { id, label }: { readonly id: string; readonly label: string },
): ThinContent {
  const volume = volumeOf(group, id, label)
  const content = volumeContent(group.group, volume)
  if (content.kind === 'thin') return { volume, pool: content.pool, deviceId: content.deviceId }
  throw new BackupError(ErrorCode.ImageLost, `"${label}" is no thin volume any more`)
}
