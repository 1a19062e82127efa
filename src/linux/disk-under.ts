import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { ErrorCode } from '../domain/backup-error.ts'
import type { DeviceIdentity } from '../domain/device-identity.ts'
import { deviceNumberOf } from './device-number.ts'
import { seenDisk } from './disk-names.ts'
import { askMapper } from './lvm/ask-mapper.ts'
import { blockFolderOf, diskFolderOf, readSysfs } from './sysfs.ts'

/** /sys counts in these, whatever the sectors of the disk; so does device-mapper. */
const SYSFS_SECTOR_BYTES = 512
/** A partition on a linear map on a partition … is nowhere deeper. */
const DEPTH_MAX = 8

/** The disk that all bytes of a block device lie on, one after the other from `offsetBytes` on. */
export type DiskUnder = {
  /** `major:minor` of the disk, or of the multipath map over its paths. */
  readonly deviceNumber: string
  /** Of the disk on this host. */
  readonly path: string
  /** The name is null where other hosts have none for it. */
  readonly identity: DeviceIdentity
  readonly offsetBytes: number
}

/**
 * Goes down from a block device to its disk: through partitions, through linear maps of one piece (partitions of a
 * multipath map are some), and to the paths of a multipath map, which are the same disk. Null where the bytes lie
 * otherwise: in pieces, encrypted, on several disks.
 */
export async function diskUnder(path: string, signal: AbortSignal): Promise<DiskUnder | null> {
  const stats = await stat(path, { bigint: true })
  if (!stats.isBlockDevice()) return null
  let deviceNumber = deviceNumberOf(stats.rdev)
  let offsetBytes = 0
  for (let depth = 0; depth < DEPTH_MAX; depth += 1) {
    const folder = await blockFolderOf(deviceNumber)
    if (folder === null) return null
    const lower = await lowerOf(folder, signal)
    if (lower === 'none') {
      const disk = await diskOf(folder)
      return disk === null ? null : { deviceNumber, ...disk, offsetBytes }
    }
    if (lower === null) return null
    deviceNumber = lower.deviceNumber
    offsetBytes += lower.offsetBytes
  }
  return null
}

type Lower = { readonly deviceNumber: string; readonly offsetBytes: number }

/** What a device is a run of bytes of; `none` when it is a disk itself, null when it is made otherwise. */
async function lowerOf(folder: string, signal: AbortSignal): Promise<Lower | 'none' | null> {
  const { disk, partition } = await diskFolderOf(folder)
  if (partition !== null) {
    const [start, number] = await Promise.all([
      readSysfs(join(folder, 'start')),
      readSysfs(join(disk, 'dev')),
    ])
    return start === null || number === null
      ? null
      : { deviceNumber: number, offsetBytes: Number(start) * SYSFS_SECTOR_BYTES }
  }
  const uuid = await readSysfs(join(folder, 'dm/uuid'))
  if (uuid === null || uuid.startsWith('mpath-')) return 'none'
  return await linearLower(folder, signal)
}

async function linearLower(folder: string, signal: AbortSignal): Promise<Lower | null> {
  const name = await readSysfs(join(folder, 'dm/name'))
  if (name === null) return null
  const how = { action: `ask where "${name}" lies`, code: ErrorCode.SourceUnreadable, signal }
  return parseLinearTable(await askMapper({ what: 'table', device: name }, how))
}

/** Of `dmsetup table`: where a device of one linear piece lies; null for any other. */
export function parseLinearTable(table: string): Lower | null {
  // 0 204800 linear 253:0 2048
  const found = /^0 \d+ linear (\d+:\d+) (\d+)$/.exec(table.trim())
  const [, deviceNumber, sectors] = found ?? []
  if (deviceNumber === undefined || sectors === undefined) return null
  return { deviceNumber, offsetBytes: Number(sectors) * SYSFS_SECTOR_BYTES }
}

/** Without the names of device-mapper, which are this host's own. */
async function diskOf(folder: string): Promise<Pick<DiskUnder, 'path' | 'identity'> | null> {
  const disk = await seenDisk(folder, basename(folder))
  if (disk === null) return null
  const { path, identity } = disk
  return {
    path,
    identity: identity.name?.startsWith('dm:') === true ? { ...identity, name: null } : identity,
  }
}
