import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import type { DeviceIdentity } from '../domain/device-identity.ts'
import { blockGeometry } from '../linux/block-geometry.ts'
import { nameInFolder } from '../linux/device-identity.ts'
import { deviceNumberAt } from '../linux/device-number-at.ts'
import { blockFolderOf, diskFolderOf, readSysfs } from '../linux/sysfs.ts'
import { syscalls } from '../linux/syscalls.ts'
import type { PlacedTarget, TargetMap } from './target-map.ts'

const SYSFS_SECTOR_BYTES = 512
/** Device-mapper's name for a disk that is reached by several paths; its other devices are no disks. */
const MULTIPATH_PREFIX = 'mpath-'

/** The map of a disk or of a partition of one: one extent. Null for any other device, and for a disk without a name. */
export async function openDiskTargetMap(target: {
  readonly path: string
  readonly sizeBytes: number
}): Promise<TargetMap | null> {
  const folder = await blockFolderOf(await deviceNumberAt(target.path))
  if (folder === null) return null
  const { disk } = await diskFolderOf(folder)
  const mapperUuid = await readSysfs(join(disk, 'dm/uuid'))
  if (mapperUuid !== null && !mapperUuid.startsWith(MULTIPATH_PREFIX)) return null
  const number = await readSysfs(join(disk, 'dev'))
  const name = await nameInFolder(disk)
  if (number === null || name === null) return null
  await using stack = new AsyncDisposableStack()
  const handle = stack.use(await open(`/dev/block/${number}`))
  const identity = { name, ...(await blockGeometry(handle.fd, number)) }
  const place = await placeOf(folder)
  if (place === null || place.offset + target.sizeBytes > identity.sizeBytes) return null
  const disposed = stack.move()
  return {
    devices: [identity],
    hold: async () => {
      const now = await placeOf(folder)
      if (now?.word !== place.word) throw changed(target.path)
      return placed(place.offset, identity, target.sizeBytes)
    },
    letGo: () => {},
    forget: () => syscalls()?.flushDeviceCache(handle.fd),
    [Symbol.asyncDispose]: () => disposed.disposeAsync(),
  }
}

/** Where on its disk a device begins, and a word for that. Nobody can change a partition that is held exclusively open. */
async function placeOf(folder: string): Promise<{ readonly offset: number; readonly word: string } | null> {
  const { disk, partition } = await diskFolderOf(folder)
  const [start, size, sequence] = await Promise.all([
    partition === null ? '0' : readSysfs(join(folder, 'start')),
    readSysfs(join(folder, 'size')),
    readSysfs(join(disk, 'diskseq')),
  ])
  if (start === null || size === null) return null
  return { offset: Number(start) * SYSFS_SECTOR_BYTES, word: `${start}+${size} of ${sequence}` }
}

function placed(physicalOffset: number, identity: DeviceIdentity, sizeBytes: number): PlacedTarget {
  const named = JSON.stringify({ identity, physicalOffset, sizeBytes })
  return {
    epoch: createHash('sha256').update(named).digest('hex'),
    *extents({ offset, length }) {
      yield [{ kind: 'data', offset, length, device: 0, physicalOffset: physicalOffset + offset }]
    },
  }
}

function changed(path: string): BackupError {
  const message = `Cannot tell where "${path}" lies: it has another place or size on its disk now`
  return new BackupError(ErrorCode.TargetChanged, message)
}
