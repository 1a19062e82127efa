import { open } from 'node:fs/promises'
import { loadNative, nativeAbsence, type PooledFunction } from './native.ts'
import { systemError } from './syscalls.ts'

// linux/fs.h; the same numbers on x86-64 and arm64.
const FIFREEZE = 0xc0045877
const FITHAW = 0xc0045878

/** A mounted file system that can be frozen: its writers then wait until it is thawed. */
export type FreezableMount = AsyncDisposable & {
  readonly path: string
  /** The same for every mount point of one file system. */
  readonly deviceNumber: number
  /** Writes back what waits to be written, so that the freeze itself has little to do. */
  sync(): Promise<void>
  /**
   * Resolves when everything is on the device and every writer waits. It cannot be called off. Throws with `code`:
   * `EBUSY` when it is frozen already, `ENOTSUP`, `EPERM`.
   */
  freeze(): Promise<void>
  /** False when it was not frozen. */
  thaw(): Promise<boolean>
}

/**
 * Opens the mount point, which must be done before anything is frozen. Freezing ends neither with the descriptor nor
 * with the process: whoever freezes has to thaw. Throws Error when there is no native library.
 */
export async function openFreezableMount(path: string): Promise<FreezableMount> {
  const calls = freezeCalls()
  const handle = await open(path, 'r')
  const { dev } = await handle.stat()
  const call = async (name: keyof FreezeCalls): Promise<void> => {
    const { value, errno } = await calls[name](handle.fd)
    if (value === -1) throw systemError(name, errno)
  }
  return {
    path,
    deviceNumber: dev,
    sync: () => call('syncfs'),
    freeze: () => call('FIFREEZE'),
    thaw: async () => {
      try {
        await call('FITHAW')
        return true
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'EINVAL') return false
        throw error
      }
    },
    [Symbol.asyncDispose]: () => handle.close(),
  }
}

type FreezeCalls = Readonly<
  Record<'syncfs' | 'FIFREEZE' | 'FITHAW', (fd: number) => ReturnType<PooledFunction>>
>
let bound: FreezeCalls | undefined

/** All in the pool: each may wait for a device for as long as that takes. */
function freezeCalls(): FreezeCalls {
  if (bound !== undefined) return bound
  const native = loadNative()
  if (native === null) throw new Error(`the native library is missing: ${nativeAbsence()}`)
  const ioctl = native.funcInPool('int ioctl(int fd, unsigned long request, void *argument)')
  const syncfs = native.funcInPool('int syncfs(int fd)')
  bound = {
    syncfs: (fd) => syncfs(fd),
    FIFREEZE: (fd) => ioctl(fd, FIFREEZE, null),
    FITHAW: (fd) => ioctl(fd, FITHAW, null),
  }
  return bound
}

/** Loads what freezing needs, so that nothing has to be read while something is frozen; false when it cannot be had. */
export function prepareToFreeze(): boolean {
  if (loadNative() === null) return false
  freezeCalls()
  return true
}
