import assert from 'node:assert/strict'
import { getSystemErrorName } from 'node:util'
import type { Range } from '../domain/range.ts'
import { loadNative, type NativeLibrary } from './native.ts'

// linux/fs.h; the same numbers on x86-64 and arm64.
const BLKFLSBUF = 0x1261
const BLKSSZGET = 0x1268
const BLKPBSZGET = 0x127b
const BLKGETSIZE64 = 0x80081272
// linux/fs.h, whence of lseek(2).
const SEEK_DATA = 3
const SEEK_HOLE = 4
// linux/falloc.h
const FALLOC_FL_KEEP_SIZE = 0x01
const FALLOC_FL_PUNCH_HOLE = 0x02
const FALLOC_FL_ZERO_RANGE = 0x10
// bits/fcntl-linux.h
const POSIX_FADV_SEQUENTIAL = 2
const POSIX_FADV_WILLNEED = 3
const POSIX_FADV_DONTNEED = 4
// sys/file.h
const LOCK_SH = 1
const LOCK_EX = 2
const LOCK_NB = 4

export type Advice = 'sequential' | 'will-need' | 'not-needed'
const ADVICE: Readonly<Record<Advice, number>> = {
  sequential: POSIX_FADV_SEQUENTIAL,
  'will-need': POSIX_FADV_WILLNEED,
  'not-needed': POSIX_FADV_DONTNEED,
}

/** The few kernel calls that Node has no function for. All throw an Error with `code` (`EIO`, `ENXIO`, …). */
export type Syscalls = {
  /** Offset of the first byte of data at or after `offset`; null when only a hole follows, up to the end. */
  seekData(fd: number, offset: number): number | null
  /** Offset of the first hole at or after `offset` (the end of the file is one); null beyond the end. */
  seekHole(fd: number, offset: number): number | null
  deviceSizeBytes(fd: number): number
  logicalSectorSizeBytes(fd: number): number
  physicalSectorSizeBytes(fd: number): number
  /** Writes back and drops what the page cache holds of a block device. Needs CAP_SYS_ADMIN. */
  flushDeviceCache(fd: number): void
  /** Gives the space back and makes the range read as zeros; on a device it discards, where that zeroes. */
  punchHole(fd: number, range: Range): void
  /** Makes the range read as zeros and keeps its space. On a device the kernel may write, which takes long. */
  zeroRange(fd: number, range: Range): void
  advise(fd: number, range: Range, advice: Advice): void
  /** Takes the file's exclusive lock; false when another open file has it. */
  tryLock(fd: number): boolean
  /** Takes the file's lock together with others who share it; false when another open file has it for itself. */
  tryLockShared(fd: number): boolean
}

let bound: Syscalls | null | undefined

/** The kernel calls, or null without a native library. */
export function syscalls(): Syscalls | null {
  if (bound === undefined) {
    const native = loadNative()
    bound = native === null ? null : bind(native)
  }
  return bound
}

function bind(native: NativeLibrary): Syscalls {
  const lseek = native.func('int64_t lseek(int fd, int64_t offset, int whence)')
  const ioctl = native.func('int ioctl(int fd, unsigned long request, void *argument)')
  const fallocate = native.func('int fallocate(int fd, int mode, int64_t offset, int64_t length)')
  const fadvise = native.func('int posix_fadvise(int fd, int64_t offset, int64_t length, int advice)')
  const flock = native.func('int flock(int fd, int operation)')

  function seek(fd: number, offset: number, whence: number): number | null {
    const found = Number(lseek(fd, offset, whence))
    if (found >= 0) return safe(found)
    const error = systemError('lseek', native.errno())
    if (error.code === 'ENXIO') return null
    throw error
  }
  function control(fd: number, request: number, argument: ArrayBufferView | null): void {
    if (ioctl(fd, request, argument) === -1) throw systemError('ioctl', native.errno())
  }
  function int32(fd: number, request: number): number {
    const value = new Int32Array(1)
    control(fd, request, value)
    return value[0] ?? 0
  }
  function tryLock(fd: number, operation: number): boolean {
    if (flock(fd, operation | LOCK_NB) === 0) return true
    const error = systemError('flock', native.errno())
    if (error.code === 'EAGAIN') return false
    throw error
  }
  function allocate(fd: number, range: Range, mode: number): void {
    const result = fallocate(fd, mode | FALLOC_FL_KEEP_SIZE, range.offset, range.length)
    if (result === -1) throw systemError('fallocate', native.errno())
  }

  return {
    seekData: (fd, offset) => seek(fd, offset, SEEK_DATA),
    seekHole: (fd, offset) => seek(fd, offset, SEEK_HOLE),
    deviceSizeBytes: (fd) => {
      const size = new BigUint64Array(1)
      control(fd, BLKGETSIZE64, size)
      return safe(Number(size[0]))
    },
    logicalSectorSizeBytes: (fd) => int32(fd, BLKSSZGET),
    physicalSectorSizeBytes: (fd) => int32(fd, BLKPBSZGET),
    flushDeviceCache: (fd) => control(fd, BLKFLSBUF, null),
    punchHole: (fd, range) => allocate(fd, range, FALLOC_FL_PUNCH_HOLE),
    zeroRange: (fd, range) => allocate(fd, range, FALLOC_FL_ZERO_RANGE),
    advise: (fd, range, advice) => {
      const errno = Number(fadvise(fd, range.offset, range.length, ADVICE[advice]))
      if (errno !== 0) throw systemError('posix_fadvise', errno) // The one call that returns its errno.
    },
    tryLock: (fd) => tryLock(fd, LOCK_EX),
    tryLockShared: (fd) => tryLock(fd, LOCK_SH),
  }
}

function safe(value: number): number {
  assert(Number.isSafeInteger(value), `${value} bytes are more than 8 PiB`)
  return value
}

/** An error as Node itself would throw it. */
export function systemError(syscall: string, errno: number): NodeJS.ErrnoException {
  const code = getSystemErrorName(-errno)
  return Object.assign(new Error(`${code}: ${syscall}`), { code, errno: -errno, syscall })
}
