import { ENOSYS } from '../domain/errno.ts'
import { loadNative, type NativeFunction, type NativeLibrary } from './native.ts'
import { systemError } from './syscalls.ts'

// fcntl.h
const AT_FDCWD = -100
const AT_SYMLINK_NOFOLLOW = 0x100

/** Seconds since 1970 and nanoseconds. */
export type Moment = { readonly seconds: number; readonly nanoseconds: number }
export type AccessedAndModified = { readonly accessed: Moment; readonly modified: Moment }

/**
 * The calls on metadata that Node has no function for, or only an inexact one. Paths are bytes; the last name of a
 * path is never followed. All throw an Error with `code` (`EPERM`, `ENOTSUP`, …).
 */
export type MetadataCalls = {
  setTimes(file: number | Uint8Array, times: AccessedAndModified): void
  setAttribute(file: number | Uint8Array, name: Uint8Array, value: Uint8Array): void
  removeAttribute(file: number | Uint8Array, name: Uint8Array): void
  /** `mode` has the kind of file (S_IFIFO, …) and permissions, from which the umask is taken away. */
  makeSpecial(path: Uint8Array, mode: number, device: { major: number; minor: number }): void
  syncFileSystem(fd: number): void
}

let bound: MetadataCalls | null | undefined

/** The calls, or null without a native library. */
export function metadataCalls(): MetadataCalls | null {
  if (bound === undefined) {
    const native = loadNative()
    bound = native === null ? null : bind(native)
  }
  return bound
}

function bind(native: NativeLibrary): MetadataCalls {
  const futimens = native.func('int futimens(int fd, const void *times)')
  const utimensat = native.func('int utimensat(int fd, const void *path, const void *times, int flags)')
  const fsetxattr = native.func(
    'int fsetxattr(int fd, const void *name, const void *value, size_t size, int flags)',
  )
  const lsetxattr = native.func(
    'int lsetxattr(const void *path, const void *name, const void *value, size_t size, int flags)',
  )
  const fremovexattr = native.func('int fremovexattr(int fd, const void *name)')
  const lremovexattr = native.func('int lremovexattr(const void *path, const void *name)')
  const syncfs = native.func('int syncfs(int fd)')
  const mknod = mknodOf(native)
  const check = (result: ReturnType<NativeFunction>, call: string): void => {
    if (result === -1) throw systemError(call, native.errno())
  }

  return {
    setTimes(file, times) {
      const spec = timespecs(times)
      if (typeof file === 'number') check(futimens(file, spec), 'futimens')
      else check(utimensat(AT_FDCWD, cString(file), spec, AT_SYMLINK_NOFOLLOW), 'utimensat')
    },
    setAttribute(file, name, value) {
      // An empty array has no address to pass.
      const memory = value.byteLength === 0 ? new Uint8Array(1) : value
      const call = typeof file === 'number' ? fsetxattr : lsetxattr
      const target = typeof file === 'number' ? file : cString(file)
      check(call(target, cString(name), memory, value.byteLength, 0), 'setxattr')
    },
    removeAttribute(file, name) {
      if (typeof file === 'number') check(fremovexattr(file, cString(name)), 'removexattr')
      else check(lremovexattr(cString(file), cString(name)), 'removexattr')
    },
    makeSpecial(path, mode, device) {
      if (mknod === null) throw systemError('mknod', ENOSYS)
      check(mknod(cString(path), mode, deviceNumber(device)), 'mknod')
    },
    syncFileSystem: (fd) => check(syncfs(fd), 'syncfs'),
  }
}

/** C libraries before glibc 2.33 have it under another name only. */
function mknodOf(native: NativeLibrary): NativeFunction | null {
  try {
    return native.func('int mknod(const void *path, unsigned int mode, uint64_t device)')
  } catch {
    return null
  }
}

/** makedev(3) of Linux. */
function deviceNumber({ major, minor }: { major: number; minor: number }): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)]
  return (low & 0xffn) | ((high & 0xfffn) << 8n) | ((low & ~0xffn) << 12n) | ((high & ~0xfffn) << 32n)
}

function timespecs({ accessed, modified }: AccessedAndModified): BigInt64Array {
  return BigInt64Array.of(
    BigInt(accessed.seconds),
    BigInt(accessed.nanoseconds),
    BigInt(modified.seconds),
    BigInt(modified.nanoseconds),
  )
}

/** The bytes with the zero that ends them. */
function cString(bytes: Uint8Array): Uint8Array {
  const ended = new Uint8Array(bytes.byteLength + 1)
  ended.set(bytes)
  return ended
}
