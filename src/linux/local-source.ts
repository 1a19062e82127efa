import type { BigIntStats } from 'node:fs'
import { constants } from 'node:fs'
import { open, realpath, stat, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import type { DeviceIdentity } from '../domain/device-identity.ts'
import type { FrozenImage } from '../domain/frozen-image.ts'
import type { Range, RangeBatch } from '../domain/range.ts'
import { blockGeometry, type BlockGeometry } from './block-geometry.ts'
import { dataRangesOf } from './data-ranges.ts'
import { deviceName } from './device-identity.ts'
import { deviceNumberOf } from './device-number.ts'
import { errnoMeaning, errnoOf } from '../domain/errno.ts'
import { kindOf } from './path-kind.ts'
import { sourceImage } from './source-image.ts'
import { sourceReader } from './source-reader.ts'
import { blockFolderOf, diskFolderOf, readSysfs } from './sysfs.ts'

/** The smallest sector that a file system in an image file can have. */
const FILE_SECTOR_BYTES = 512

/** A block device or an image file on this host, open for reading. */
export type LocalSource = AsyncDisposable & {
  /** As the user wrote it. */
  readonly path: string
  readonly realPath: string
  readonly type: 'file' | 'device'
  readonly sizeBytes: number
  readonly sectorSizeBytes: number
  /** Null for a file. */
  readonly identity: DeviceIdentity | null
  readonly fd: number
  /** `fd` does direct I/O: memory, offsets and lengths must be aligned to sectors. True for devices. */
  readonly direct: boolean
  /** Names the source's state: a file that was written to, or another device under the same name, has another. */
  fingerprint(): Promise<string>
  /** Where data lies within `range`, ascending; the rest are holes. */
  dataRanges(range: Range, signal: AbortSignal): AsyncIterable<RangeBatch>
  /** The source as a frozen image, which borrows `fd`. */
  image(): FrozenImage
}

/** Opens what lies at `path`. Throws SOURCE_MISSING, SOURCE_UNSUITABLE, SOURCE_UNREADABLE. */
export async function openLocalSource(path: string): Promise<LocalSource> {
  try {
    const realPath = await realpath(path)
    // Before it is opened: to open a named pipe waits for a writer.
    const isDevice = requireImage(path, await stat(realPath, { bigint: true }))
    const handle = await open(realPath, constants.O_RDONLY | (isDevice ? constants.O_DIRECT : 0))
    try {
      return await describe(handle, { path, realPath })
    } catch (error) {
      await handle.close()
      throw error
    }
  } catch (error) {
    throw openError(path, error)
  }
}

type Names = { readonly path: string; readonly realPath: string }

async function describe(handle: FileHandle, names: Names): Promise<LocalSource> {
  const stats = await handle.stat({ bigint: true })
  const isDevice = requireImage(names.path, stats)
  const number = deviceNumberOf(stats.rdev)
  const geometry: BlockGeometry = isDevice
    ? await blockGeometry(handle.fd, number)
    : { sizeBytes: Number(stats.size), sectorSizeBytes: FILE_SECTOR_BYTES }
  if (geometry.sizeBytes === 0) {
    throw new BackupError(
      ErrorCode.SourceUnsuitable,
      `Cannot open source "${names.path}": it holds 0 bytes, required is a volume or an image file with content`,
      { data: { path: names.path } },
    )
  }
  const reader = sourceReader(handle, { ...geometry, path: names.path, direct: isDevice })
  const dataRanges = isDevice
    ? wholeRange
    : (range: Range, signal: AbortSignal) => dataRangesOf(handle.fd, range, signal)
  return {
    ...names,
    ...geometry,
    type: isDevice ? 'device' : 'file',
    identity: isDevice ? { name: await deviceName(number), ...geometry } : null,
    fd: handle.fd,
    direct: isDevice,
    fingerprint: () => (isDevice ? deviceFingerprint(handle) : fileFingerprint(handle)),
    dataRanges,
    image: () => sourceImage({ ...geometry, reader, dataRanges }),
    [Symbol.asyncDispose]: () => handle.close(),
  }
}

/** A device is data all over: what lies on it knows better, the device does not. */
// oxlint-disable-next-line typescript/require-await -- a stream like that of a file
async function* wholeRange(range: Range, signal: AbortSignal): AsyncGenerator<RangeBatch, void, undefined> {
  signal.throwIfAborted()
  yield [range]
}

async function fileFingerprint(handle: FileHandle): Promise<string> {
  const { dev, ino, size, mtimeNs, ctimeNs } = await handle.stat({ bigint: true })
  return `file:${deviceNumberOf(dev)}:${ino}:${size}:${mtimeNs}:${ctimeNs}`
}

/** The disk sequence number changes with every disk that comes under the same name (Linux 5.15 and later). */
async function deviceFingerprint(handle: FileHandle): Promise<string> {
  const number = deviceNumberOf((await handle.stat({ bigint: true })).rdev)
  const { sizeBytes } = await blockGeometry(handle.fd, number)
  const folder = await blockFolderOf(number)
  const sequence =
    folder === null ? null : await readSysfs(join((await diskFolderOf(folder)).disk, 'diskseq'))
  return `device:${number}:${sizeBytes}:${sequence ?? ''}`
}

/** True for a block device, false for a file; refuses the rest. */
function requireImage(path: string, stats: BigIntStats): boolean {
  if (stats.isBlockDevice()) return true
  if (stats.isFile()) return false
  throw new BackupError(
    ErrorCode.SourceUnsuitable,
    `Cannot open source "${path}": it is ${kindOf(stats)}, required is a volume (a block device such as /dev/vg0/data) or an image file`,
    { data: { path } },
  )
}

function openError(path: string, cause: unknown): unknown {
  const errno = errnoOf(cause)
  if (errno === null) return cause
  const data = { path, errno }
  if (errno === 'ENOENT' || errno === 'ENOTDIR') {
    return new BackupError(
      ErrorCode.SourceMissing,
      `Cannot open source "${path}": it does not exist, required is a volume or an image file`,
      { data, cause },
    )
  }
  const remedy =
    errno === 'EACCES' || errno === 'EPERM' ? ', required is a user who may read it, such as root' : ''
  return new BackupError(
    ErrorCode.SourceUnreadable,
    `Cannot open source "${path}": ${errnoMeaning(cause)}${remedy}`,
    { data, cause },
  )
}
