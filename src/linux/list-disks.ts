import { join } from 'node:path'
import type { DeviceIdentity } from '../domain/device-identity.ts'
import { nameInFolder } from './device-identity.ts'
import { listSysfs, readSysfs } from './sysfs.ts'

const FOLDER = '/sys/block'
const SYSFS_SECTOR_BYTES = 512
/** A host that sees more is not told of all. */
const DISKS_MAX = 4096

/** The disks of this host that other hosts may see too, by the names that they share; each once. */
export async function listDisks(): Promise<readonly DeviceIdentity[]> {
  const found = new Map<string, DeviceIdentity>()
  for (const entry of (await listSysfs(FOLDER)).slice(0, DISKS_MAX)) {
    const folder = join(FOLDER, entry)
    const name = await nameInFolder(folder)
    if (name === null || name.startsWith('dm:')) continue
    const [size, sectorSize] = await Promise.all([
      readSysfs(join(folder, 'size')),
      readSysfs(join(folder, 'queue/logical_block_size')),
    ])
    if (size === null || sectorSize === null || Number(size) === 0) continue
    const sizeBytes = Number(size) * SYSFS_SECTOR_BYTES
    found.set(name, { name, sizeBytes, sectorSizeBytes: Number(sectorSize) })
  }
  return [...found.values()]
}
