import { realpath } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { listSysfs, readSysfs } from '../sysfs.ts'

/** How a disk comes to this host; null when the system does not say. `local` ends inside this host. */
export type DiskTransport = 'iscsi' | 'fc' | 'nvme-of' | 'sas' | 'virtio' | 'local' | null

/** What the path of a device in /sys goes through, by the kernel's own names of the classes of transports. */
const MARKS: readonly { readonly mark: RegExp; readonly transport: DiskTransport }[] = [
  { mark: /\/session\d+\//, transport: 'iscsi' },
  { mark: /\/rport-[\d:-]+\//, transport: 'fc' },
  { mark: /\/end_device-[\d:]+\//, transport: 'sas' },
  { mark: /\/virtio\d+\//, transport: 'virtio' },
  { mark: /\/(?:ata\d+|usb\d+|mmc_host|virtual\/block)\//, transport: 'local' },
]

/** Of a whole disk, by its folder in /sys; of a multipath map that of its first path. */
export async function transportOf(folder: string): Promise<DiskTransport> {
  const [path] =
    (await readSysfs(join(folder, 'dm/uuid'))) === null ? [] : await listSysfs(join(folder, 'slaves'))
  const disk = path === undefined ? folder : await real(join(folder, 'slaves', path))
  if (basename(disk).startsWith('nvme')) return await nvmeTransport(disk)
  const whole = `${disk}/`
  return MARKS.find(({ mark }) => mark.test(whole))?.transport ?? null
}

/** The controller says it; of a disk with several paths each of its controllers, which are alike. */
async function nvmeTransport(disk: string): Promise<DiskTransport> {
  const device = join(disk, 'device')
  const controllers = (await listSysfs(device)).filter((name) => /^nvme\d+$/.test(name))
  const said = await readSysfs(join(device, 'transport'))
  const word = said ?? (await readSysfs(join(device, controllers[0] ?? '', 'transport')))
  if (word === null) return null
  return word === 'pcie' ? 'local' : 'nvme-of'
}

async function real(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch {
    return path
  }
}
