import { realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { VolumeId } from '../../domain/logical-volume.ts'
import { deviceNumberOf } from '../device-number.ts'
import { blockFolderOf, readSysfs } from '../sysfs.ts'

/** Before the UUIDs of group and volume, 32 characters each, in the UUID of LVM's device-mapper devices. */
const PREFIX = 'LVM-'
const UUID_LENGTH = 32
/** Where LVM puts hyphens into a UUID. */
const GROUPS = [6, 4, 4, 4, 4, 4, 6]
const PLAIN = new RegExp(`^[0-9A-Za-z]{${UUID_LENGTH}}$`)

/** Of the logical volume at a path; null for what is none, or is not there. */
export async function volumeIdAt(path: string): Promise<VolumeId | null> {
  try {
    const stats = await stat(await realpath(path), { bigint: true })
    if (!stats.isBlockDevice()) return null
    const folder = await blockFolderOf(deviceNumberOf(stats.rdev))
    return folder === null ? null : parseMapperUuid((await readSysfs(join(folder, 'dm/uuid'))) ?? '')
  } catch {
    return null // Not there, or not ours to look at.
  }
}

/** The UUID of a volume's device; those of the devices of its parts have a suffix. */
export function mapperUuid({ groupUuid, uuid }: VolumeId): string {
  return PREFIX + `${groupUuid}${uuid}`.replaceAll('-', '')
}

/** Null for the UUID of a device that is no logical volume that people see. */
export function parseMapperUuid(uuid: string): VolumeId | null {
  const groupUuid = groupOfMapperUuid(uuid)
  const text = uuid.slice(PREFIX.length + UUID_LENGTH)
  if (groupUuid === null || !PLAIN.test(text)) return null
  return { groupUuid, uuid: withHyphens(text) }
}

/** The group of a volume or of a part of one; null for the UUID of anything else. */
export function groupOfMapperUuid(uuid: string): string | null {
  const text = uuid.slice(PREFIX.length, PREFIX.length + UUID_LENGTH)
  return uuid.startsWith(PREFIX) && PLAIN.test(text) ? withHyphens(text) : null
}

function withHyphens(text: string): string {
  let at = 0
  return GROUPS.map((length) => text.slice(at, (at += length))).join('-')
}
