import { join } from 'node:path'
import type { DeviceIdentity } from '../domain/device-identity.ts'
import { nameInFolder } from './device-identity.ts'
import { listSysfs, readSysfs } from './sysfs.ts'

/** /sys counts in these, whatever the sectors of the disk. */
const SYSFS_SECTOR_BYTES = 512

/** A disk that the system shows, and its place among the others. */
export type SeenDisk = {
  /** As the kernel calls it, such as `sda`: only until the next boot. */
  readonly kernelName: string
  readonly path: string
  /** `major:minor`. */
  readonly deviceNumber: string
  readonly identity: DeviceIdentity
  /** It is a multipath map: these disks are ways to it. */
  readonly isMultipath: boolean
  readonly paths: readonly string[]
}

/** All whole disks and multipath maps of this host. `root` is /sys, but in tests. */
export async function seenDisks(root = '/sys'): Promise<readonly SeenDisk[]> {
  const disks: SeenDisk[] = []
  for (const kernelName of await listSysfs(join(root, 'block'))) {
    const disk = await seenDisk(join(root, 'block', kernelName), kernelName)
    if (disk !== null) disks.push(disk)
  }
  return disks
}

/** The disk, or multipath map, that a folder of /sys shows; null for what cannot be opened. */
export async function seenDisk(folder: string, kernelName: string): Promise<SeenDisk | null> {
  const [deviceNumber, size, sectorSize, hidden, uuid] = await Promise.all(
    ['dev', 'size', 'queue/logical_block_size', 'hidden', 'dm/uuid'].map((path) =>
      readSysfs(join(folder, path)),
    ),
  )
  // The kernel hides the paths of an NVMe namespace that it joins by itself: they cannot be opened.
  if (typeof deviceNumber !== 'string' || hidden === '1') return null
  const isMultipath = uuid?.startsWith('mpath-') === true
  const paths = isMultipath ? await listSysfs(join(folder, 'slaves')) : []
  return {
    kernelName,
    // The kernel writes ! for / in the names of its folders.
    path: `/dev/${kernelName.replaceAll('!', '/')}`,
    deviceNumber,
    identity: {
      name: isMultipath ? await nameOfPaths(folder, paths) : await nameInFolder(folder),
      sizeBytes: Number(size ?? 0) * SYSFS_SECTOR_BYTES,
      sectorSizeBytes: Number(sectorSize ?? 0),
    },
    isMultipath,
    paths,
  }
}

/** A map has the name that all of its paths have; the one of device-mapper where they have none, or several. */
async function nameOfPaths(folder: string, paths: readonly string[]): Promise<string | null> {
  const names = new Set(await Promise.all(paths.map((path) => nameInFolder(join(folder, 'slaves', path)))))
  const [name] = names
  return names.size === 1 && name !== undefined && name !== null ? name : await nameInFolder(folder)
}
