import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import type { DeviceIdentity } from '../../domain/device-identity.ts'
import { seenDisks } from '../disk-names.ts'
import { readSysfs } from '../sysfs.ts'
import { type DiskTransport, transportOf } from './disk-transport.ts'

/** A disk or a multipath map of this host: what can be the bottom of a volume. */
export type BlockDisk = {
  readonly kernelName: string
  readonly path: string
  /** `map` is one of dm-multipath, `path` lies under one, `disk` is seen as it is. */
  readonly kind: 'map' | 'path' | 'disk'
  readonly identity: DeviceIdentity
  readonly transport: DiskTransport
  readonly isReadOnly: boolean
}

/** All of them; what lies on others, and what holds nothing, such as a loop device without a file, is none. */
export async function blockDisks(): Promise<readonly BlockDisk[]> {
  const seen = await seenDisks()
  const ways = new Set(seen.flatMap(({ paths }) => paths))
  const disks: BlockDisk[] = []
  for (const { kernelName, path, identity, isMultipath } of seen) {
    const folder = await realFolder(join('/sys/block', kernelName))
    if (folder === null || identity.sizeBytes === 0) continue
    if (!isMultipath && (await readSysfs(join(folder, 'dm/name'))) !== null) continue
    disks.push({
      kernelName,
      path,
      kind: isMultipath ? 'map' : ways.has(kernelName) ? 'path' : 'disk',
      identity,
      transport: await transportOf(folder),
      isReadOnly: (await readSysfs(join(folder, 'ro'))) === '1',
    })
  }
  return disks
}

async function realFolder(path: string): Promise<string | null> {
  try {
    return await realpath(path)
  } catch {
    return null // It was taken away meanwhile.
  }
}
