import { loadNative, type NativeLibrary } from './native.ts'
import { systemError } from './syscalls.ts'

// linux/fs.h; the same numbers on x86-64 and arm64.
const FICLONE = 0x40049409
const FS_IOC_FIEMAP = 0xc020660b
const FS_IOC_GETFLAGS = 0x80086601
const FS_IOC_SETFLAGS = 0x40086602
const FS_IOC_GETVERSION = 0x80087601
const FS_IOC_FSGETXATTR = 0x801c581f
const FS_XFLAG_REALTIME = 0x1
/** In struct fsxattr. */
const AT_FSX_NEXTENTS = 8
// The geometry of XFS in its fourth form, which every kernel knows since it has clones: ioctl_xfs_fsgeometry(2).
const XFS_IOC_FSGEOMETRY_V4 = 0x8070587c
const AT_GEOMETRY_FLAGS = 92
const XFS_GEOMETRY_REFLINK = 1 << 20
// fcntl.h
const AT_FDCWD = -100
const AT_SYMLINK_FOLLOW = 0x400
/** Small arrays may be moved in memory while a call goes on; larger ones are not. */
const ARGUMENT_BYTES = 128

/** What chattr(1) calls i and C. */
export const InodeFlag = { Immutable: 0x10, NoCopyOnWrite: 0x80_0000 } as const

/** The calls that clone a file and keep it. All throw an Error with `code` (`EOPNOTSUPP`, `EXDEV`, …). */
export type CloneCalls = {
  /** Makes an empty file share all bytes of another. Writers of that one wait meanwhile. */
  clone(target: number, source: number): Promise<void>
  /** `buffer` holds a question, and then the reply. */
  fiemap(fd: number, buffer: Uint8Array): Promise<void>
  /** Gives a name to an open file that has none. */
  link(fd: number, path: string): void
  inodeFlags(fd: number): number
  setInodeFlags(fd: number, flags: number): void
  /** A number that an inode gets with each new file in it. */
  generation(fd: number): number
  /** Whether an XFS file lies on the real-time device, whose offsets say nothing of the other one's. */
  isRealtime(fd: number): boolean
  /** Whether the XFS file system of a file was made to share blocks between files. */
  sharesBlocks(fd: number): boolean
  /** How many extents an XFS file is in; 0 on file systems that do not count them. */
  extentCount(fd: number): number
  /** Null when there is none of that name. */
  attribute(fd: number, name: string, bytesMax: number): Uint8Array | null
}

let bound: CloneCalls | null | undefined

/** The calls, or null without a native library. */
export function cloneCalls(): CloneCalls | null {
  if (bound === undefined) {
    const native = loadNative()
    bound = native === null ? null : bind(native)
  }
  return bound
}

function bind(native: NativeLibrary): CloneCalls {
  const control = native.func('int ioctl(int fd, unsigned long request, void *argument)')
  const controlInPool = native.funcInPool('int ioctl(int fd, unsigned long request, void *argument)')
  const cloneInPool = native.funcInPool('int ioctl(int fd, unsigned long request, long argument)')
  const linkat = native.func(
    'int linkat(int fromFolder, const void *from, int toFolder, const void *to, int flags)',
  )
  const fgetxattr = native.func('int64_t fgetxattr(int fd, const void *name, void *value, size_t size)')

  function int32(fd: number, request: number, at = 0): number {
    const argument = new Uint8Array(ARGUMENT_BYTES)
    if (control(fd, request, argument) === -1) throw systemError('ioctl', native.errno())
    return new DataView(argument.buffer).getUint32(at, true)
  }
  return {
    clone: async (target, source) => {
      const { value, errno } = await cloneInPool(target, FICLONE, source)
      if (value === -1) throw systemError('ioctl', errno)
    },
    fiemap: async (fd, buffer) => {
      const { value, errno } = await controlInPool(fd, FS_IOC_FIEMAP, buffer)
      if (value === -1) throw systemError('ioctl', errno)
    },
    link: (fd, path) => {
      const from = cString(`/proc/self/fd/${fd}`)
      const result = linkat(AT_FDCWD, from, AT_FDCWD, cString(path), AT_SYMLINK_FOLLOW)
      if (result === -1) throw systemError('linkat', native.errno())
    },
    inodeFlags: (fd) => int32(fd, FS_IOC_GETFLAGS),
    setInodeFlags: (fd, flags) => {
      const argument = new Uint8Array(ARGUMENT_BYTES)
      new DataView(argument.buffer).setUint32(0, flags, true)
      if (control(fd, FS_IOC_SETFLAGS, argument) === -1) throw systemError('ioctl', native.errno())
    },
    generation: (fd) => int32(fd, FS_IOC_GETVERSION),
    isRealtime: (fd) => (int32(fd, FS_IOC_FSGETXATTR) & FS_XFLAG_REALTIME) !== 0,
    sharesBlocks: (fd) => (int32(fd, XFS_IOC_FSGEOMETRY_V4, AT_GEOMETRY_FLAGS) & XFS_GEOMETRY_REFLINK) !== 0,
    extentCount: (fd) => int32(fd, FS_IOC_FSGETXATTR, AT_FSX_NEXTENTS),
    attribute: (fd, name, bytesMax) => {
      const value = new Uint8Array(Math.max(bytesMax, ARGUMENT_BYTES))
      const length = Number(fgetxattr(fd, cString(name), value, bytesMax))
      if (length >= 0) return value.subarray(0, length)
      const error = systemError('fgetxattr', native.errno())
      if (error.code === 'ENODATA') return null
      throw error
    },
  }
}

/** The text with the zero that ends it. */
function cString(text: string): Uint8Array {
  return Buffer.from(`${text}\0`)
}
