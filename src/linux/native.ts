import { createRequire } from 'node:module'
import type * as Koffi from 'koffi'

/** What crosses the border: numbers, 64-bit integers, memory (its address is passed), null pointers. */
export type NativeValue = number | bigint | ArrayBufferView | null | undefined
export type NativeFunction = (...values: readonly NativeValue[]) => NativeValue

export type PooledFunction = (
  ...values: readonly NativeValue[]
) => Promise<{ readonly value: NativeValue; readonly errno: number }>

/** The symbols of this process: libc, and what the Node binary exports. One per thread. */
export type NativeLibrary = {
  /**
   * Binds a function by its C prototype, such as `int fsync(int fd)`. Pointers to memory are `void *`.
   * A wrong prototype or pointer crashes the process. Throws Error when the symbol does not exist.
   */
  func(prototype: string): NativeFunction
  /** The same on a thread of the pool, for calls that may take long; throws nothing but gives the errno with the result. */
  funcInPool(prototype: string): PooledFunction
  /** The errno that the last native call on this thread left. */
  errno(): number
}

type Loaded = { readonly library: NativeLibrary } | { readonly absence: string }
let loaded: Loaded | undefined

/**
 * The native library, or null when it cannot be had (`nativeAbsence()` says why). `ICECORE_NATIVE=off`
 * switches it off: everything then works through Node's own API, only slower and with fewer ioctls.
 */
export function loadNative(): NativeLibrary | null {
  loaded ??= load()
  return 'library' in loaded ? loaded.library : null
}

/** Why there is no native library, as half a sentence; null when there is one. */
export function nativeAbsence(): string | null {
  loaded ??= load()
  return 'absence' in loaded ? loaded.absence : null
}

function load(): Loaded {
  if (process.env['ICECORE_NATIVE'] === 'off') return { absence: 'switched off by ICECORE_NATIVE=off' }
  try {
    // Only here and only now: loading takes 10 ms, which commands that need no ioctl do not pay.
    const koffi: typeof Koffi = createRequire(import.meta.url)('koffi')
    const library = koffi.load(null)
    return {
      library: {
        func: (prototype) => library.func(prototype),
        funcInPool: (prototype) => inPool(library.func(prototype), koffi),
        errno: () => koffi.errno(),
      },
    }
  } catch (error) {
    return { absence: `koffi cannot be loaded: ${error instanceof Error ? error.message : String(error)}` }
  }
}

function inPool(called: ReturnType<Koffi.LibraryHandle['func']>, koffi: typeof Koffi): PooledFunction {
  return async (...values) =>
    await new Promise((resolve, reject) => {
      called.async(...values, (error: Error | null, value: NativeValue) => {
        // The library carries the errno of the thread over to this one, for the time of this callback.
        if (error === null) resolve({ value, errno: koffi.errno() })
        else reject(error)
      })
    })
}
