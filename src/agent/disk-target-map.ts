import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import { deviceNumberAt } from '../linux/disk-statistics.ts'
import { diskUnder, type DiskUnder } from '../linux/disk-under.ts'
import { blockFolderOf, diskFolderOf, readSysfs } from '../linux/sysfs.ts'
import { syscalls } from '../linux/syscalls.ts'
import type { PlacedTarget, TargetMap } from './target-map.ts'

/** Device-mapper's name for a disk that is reached by several paths; its other devices are no disks. */
const MULTIPATH_PREFIX = 'mpath-'

/** The map of a disk or of a partition of one: one extent. Null for any other device, and for a disk without a name. */
export async function openDiskTargetMap(
  target: { readonly path: string; readonly sizeBytes: number },
  signal: AbortSignal,
): Promise<TargetMap | null> {
  const folder = await blockFolderOf(await deviceNumberAt(target.path))
  if (folder === null) return null
  const mapperUuid = await readSysfs(join((await diskFolderOf(folder)).disk, 'dm/uuid'))
  if (mapperUuid !== null && !mapperUuid.startsWith(MULTIPATH_PREFIX)) return null
  const before = await diskUnder(target.path, signal)
  if (before === null || before.identity.name === null) return null
  const handle = await open(before.path)
  return {
    devices: [before.identity],
    // Nobody can move a partition of which something is open.
    hold: async (now) => {
      if (JSON.stringify(await diskUnder(target.path, now)) === JSON.stringify(before)) {
        return placed(before, target.sizeBytes)
      }
      const message = `Cannot tell where "${target.path}" lies: it has another place on its disk now`
      throw new BackupError(ErrorCode.TargetChanged, message)
    },
    letGo: () => {},
    forget: () => syscalls()?.flushDeviceCache(handle.fd),
    [Symbol.asyncDispose]: () => handle.close(),
  }
}

function placed(disk: DiskUnder, sizeBytes: number): PlacedTarget {
  return {
    epoch: createHash('sha256').update(JSON.stringify({ disk, sizeBytes })).digest('hex'),
    *extents({ offset, length }) {
      const physicalOffset = disk.offsetBytes + offset
      yield [{ kind: 'data', offset, length, device: 0, physicalOffset }]
    },
  }
}
