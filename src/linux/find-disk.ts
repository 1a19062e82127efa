import { fstatSync } from 'node:fs'
import { formatByteSize } from '../domain/byte-size.ts'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import type { DeviceIdentity } from '../domain/device-identity.ts'
import { blockGeometry } from './block-geometry.ts'
import { deviceNumberOf } from './device-number.ts'
import { seenDisks, type SeenDisk } from './disk-names.ts'
import { openLocalSource, type LocalSource } from './local-source.ts'

/** A disk that was found by its identity, open for direct reading and exclusive of nobody. */
export type FoundDisk = LocalSource & {
  readonly isMultipath: boolean
  /** `major:minor`, to be compared with that of an open descriptor. */
  readonly deviceNumber: string
}

/** In a sentence: more would not be read. */
const NAMED_MAX = 12

/**
 * The disk of this identity, opened read-only with direct I/O. Throws SOURCE_MISSING when none has its name,
 * SOURCE_UNSUITABLE when several have, or when its size or its sectors are others, SOURCE_UNREADABLE.
 */
export async function findDisk(identity: DeviceIdentity): Promise<FoundDisk> {
  const seen = await locateDisk(identity)
  const source = await openLocalSource(seen.path)
  try {
    await requireSame(source, seen)
    const { isMultipath, deviceNumber } = seen
    return { ...source, identity: seen.identity, isMultipath, deviceNumber }
  } catch (error) {
    await source[Symbol.asyncDispose]()
    throw error
  }
}

/** Where the disk of this identity is, not yet opened. Throws as `findDisk`. `root` is /sys, but in tests. */
export async function locateDisk(identity: DeviceIdentity, root = '/sys'): Promise<SeenDisk> {
  const { name } = identity
  if (name === null) {
    const message = `Cannot find a disk of ${formatByteSize(identity.sizeBytes)}: its owner knows no name for it that other hosts know too, required is a disk with a serial number or a world-wide name`
    throw new BackupError(ErrorCode.SourceUnsuitable, message, { data: { isAgentDisk: true } })
  }
  const disks = await seenDisks(root)
  const found = withoutPaths(disks.filter((disk) => disk.identity.name === name))
  const [disk, ...others] = found
  if (disk === undefined) throw missing(name, disks)
  if (others.length > 0) throw ambiguous(name, found)
  requireGeometry(identity, disk)
  return disk
}

/** A disk that is a way to one of the maps is that map. */
function withoutPaths(found: readonly SeenDisk[]): readonly SeenDisk[] {
  const ways = new Set(found.flatMap(({ paths }) => paths))
  return found.filter(({ kernelName }) => !ways.has(kernelName))
}

function requireGeometry(identity: DeviceIdentity, disk: SeenDisk): void {
  const { name, sizeBytes, sectorSizeBytes } = identity
  const found = disk.identity
  const data = { isAgentDisk: true, identity, path: disk.path, found }
  if (found.sizeBytes !== sizeBytes) {
    const message = `Cannot use disk "${disk.path}" as "${name}": it has ${found.sizeBytes} bytes, expected ${sizeBytes} as its owner sees it; rescan the disk on both hosts`
    throw new BackupError(ErrorCode.SourceUnsuitable, message, { data })
  }
  if (found.sectorSizeBytes !== sectorSizeBytes) {
    const message = `Cannot use disk "${disk.path}" as "${name}": its sectors have ${found.sectorSizeBytes} bytes, expected ${sectorSizeBytes} as its owner sees it`
    throw new BackupError(ErrorCode.SourceUnsuitable, message, { data })
  }
}

/** Between the look and the opening another disk may have come under this path: what counts is what is open. */
async function requireSame(source: LocalSource, seen: SeenDisk): Promise<void> {
  const number = deviceNumberOf(fstatSync(source.fd, { bigint: true }).rdev)
  const geometry = await blockGeometry(source.fd, number)
  const { name } = seen.identity
  const isSame =
    number === seen.deviceNumber &&
    geometry.sizeBytes === seen.identity.sizeBytes &&
    geometry.sectorSizeBytes === seen.identity.sectorSizeBytes &&
    (await seenDisks()).some((disk) => disk.deviceNumber === number && disk.identity.name === name)
  if (isSame) return
  const message = `Cannot use disk "${seen.path}" as "${name}": another disk came under this path while it was opened; run it again`
  throw new BackupError(ErrorCode.SourceChanged, message, { data: { path: seen.path } })
}

function missing(name: string, disks: readonly SeenDisk[]): BackupError {
  const named = disks.filter(({ identity }) => identity.name !== null)
  const shown = named.slice(0, NAMED_MAX).map(({ path, identity }) => `${identity.name} (${path})`)
  const more = named.length > NAMED_MAX ? [`${named.length - NAMED_MAX} more`] : []
  const there =
    named.length === 0 ? 'none that has a name is there' : `there are ${[...shown, ...more].join(', ')}`
  const message = `Cannot find disk "${name}" on this host: ${there}; required is that the storage shows it to this host too`
  return new BackupError(ErrorCode.SourceMissing, message, { data: { isAgentDisk: true, name } })
}

function ambiguous(name: string, found: readonly SeenDisk[]): BackupError {
  const paths = found.map(({ path }) => path).join(', ')
  const message = `Cannot tell which disk is "${name}": ${found.length} have this name (${paths}), required is one, or one multipath map over all of them (multipathd)`
  return new BackupError(ErrorCode.SourceUnsuitable, message, {
    data: { isAgentDisk: true, name, paths: found.map(({ path }) => path) },
  })
}
