import type { LabHost } from './lab-host.ts'

const MAKE = {
  ext4: ['mkfs.ext4', '-q', '-F', '-E', 'lazy_itable_init=0,lazy_journal_init=0,nodiscard'],
  // Not supported is one that is smaller than 300 MiB.
  xfs: ['mkfs.xfs', '--unsupported', '-q', '-f', '-K'],
  btrfs: ['mkfs.btrfs', '-q', '-f', '-K'],
} as const

export type FileSystemKind = keyof typeof MAKE

/** Makes a file system on a host's device and mounts it, on `/mnt/` and the device's name; returns where. */
export async function mountNewFileSystem(
  host: LabHost,
  kind: FileSystemKind,
  device: string,
): Promise<string> {
  await host.output([...MAKE[kind], device])
  return await mountFileSystem(host, device)
}

export async function mountFileSystem(host: LabHost, device: string, options = 'defaults'): Promise<string> {
  const folder = `/mnt/${device.split('/').at(-1) ?? ''}`
  await host.output(['mkdir', '-p', folder])
  await host.output(['mount', '-o', options, device, folder])
  return folder
}
