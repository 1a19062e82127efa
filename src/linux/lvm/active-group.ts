import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { listSysfs, readSysfs } from '../sysfs.ts'
import { groupOfMapperUuid, parseMapperUuid } from './volume-uuid.ts'

/** What device-mapper has of a volume group just now. LVM is not asked, nor the group's own text. */
export type ActiveGroup = {
  /** Of the disks that its active volumes lie on, as the kernel reads and writes them. */
  readonly diskPaths: readonly string[]
  /** Of the volumes that have a device. */
  readonly volumeUuids: ReadonlySet<string>
}

const DEVICES = '/sys/class/block'
/** A pool with active volumes has only this device. */
const POOL_PART = /-tpool$/

/** Of a group without an active volume: nothing. */
export async function activeGroup(groupUuid: string): Promise<ActiveGroup> {
  const volumeUuids = new Set<string>()
  const disks = new Set<string>()
  for (const { name, uuid } of await lvmDevices()) {
    if (groupOfMapperUuid(uuid) !== groupUuid) continue
    const volume = parseMapperUuid(uuid.replace(POOL_PART, ''))
    if (volume !== null) volumeUuids.add(volume.uuid)
    for (const lower of await listSysfs(join(DEVICES, name, 'slaves'))) {
      const lowerUuid = (await readSysfs(join(DEVICES, lower, 'dm/uuid'))) ?? ''
      if (groupOfMapperUuid(lowerUuid) !== groupUuid) disks.add(lower)
    }
  }
  const diskPaths = await Promise.all([...disks].toSorted().map(devicePath))
  return { diskPaths, volumeUuids }
}

/** The groups that have an active volume. */
export async function activeGroupUuids(): Promise<readonly string[]> {
  const uuids = (await lvmDevices()).map(({ uuid }) => groupOfMapperUuid(uuid))
  return [...new Set(uuids.filter((uuid) => uuid !== null))]
}

async function lvmDevices(): Promise<readonly { readonly name: string; readonly uuid: string }[]> {
  const names = (await listSysfs(DEVICES)).filter((name) => name.startsWith('dm-'))
  const devices = await Promise.all(
    names.map(async (name) => ({ name, uuid: (await readSysfs(join(DEVICES, name, 'dm/uuid'))) ?? '' })),
  )
  return devices.filter(({ uuid }) => groupOfMapperUuid(uuid) !== null)
}

/** As LVM names it: a map of device-mapper by its name, where there is one. */
async function devicePath(name: string): Promise<string> {
  const mapped = await readSysfs(join(DEVICES, name, 'dm/name'))
  if (mapped !== null) {
    const path = `/dev/mapper/${mapped}`
    if (await exists(path)) return path
  }
  // The kernel writes the slashes of names so.
  return `/dev/${name.replaceAll('!', '/')}`
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch {
    return false
  }
}
