import { join } from 'node:path'
import { blockFolderOf, diskFolderOf, readSysfs } from './sysfs.ts'

/**
 * The strongest name that the system knows for a block device (`major:minor`), the same on every host that
 * sees the disk: `wwn:` (SCSI VPD 0x83), `nvme:` (NGUID, EUI-64 or UUID), `dm:` (device-mapper's UUID),
 * `virtio:` (its serial); a partition is its disk's name and `-part` and its number. Null when there is none.
 * The attributes are those of the kernel's Documentation/ABI/stable/sysfs-block and testing/sysfs-block-device.
 */
export async function deviceName(deviceNumber: string): Promise<string | null> {
  const folder = await blockFolderOf(deviceNumber)
  return folder === null ? null : await nameInFolder(folder)
}

/** As `deviceName`, from the device's folder in /sys. */
export async function nameInFolder(folder: string): Promise<string | null> {
  const { disk, partition } = await diskFolderOf(folder)
  const name = await diskName(disk)
  return name === null || partition === null ? name : `${name}-part${partition}`
}

const ATTRIBUTES = [
  { prefix: 'dm:', path: 'dm/uuid' },
  { prefix: 'nvme:', path: 'wwid' },
  { prefix: 'wwn:', path: 'device/wwid' },
  { prefix: 'virtio:', path: 'serial' },
]

async function diskName(disk: string): Promise<string | null> {
  for (const { prefix, path } of ATTRIBUTES) {
    const value = await readSysfs(join(disk, path))
    // Vendors pad names with spaces, and a name must survive a shell and a log.
    if (value !== null && value !== '') return prefix + value.replaceAll(/\s+/g, '_')
  }
  return null
}
