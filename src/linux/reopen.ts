import { closeSync, constants, openSync } from 'node:fs'
import { errnoOf } from '../domain/errno.ts'

/** A second descriptor of an open source or target, for a worker thread. */
export type Reopened = Disposable & {
  readonly fd: number
  /** Whether it does direct I/O, which some file systems do not know. */
  readonly direct: boolean
}

export type ReopenOptions = {
  /** Bypass the page cache: memory, offsets and lengths must then be aligned. */
  readonly direct: boolean
}

/** Opens `LocalSource.realPath` once more, for reading. Throws the system's error. */
export function reopenSource(path: string, options: ReopenOptions): Reopened {
  return reopen(path, constants.O_RDONLY, options)
}

/** Opens `LocalTarget.workingPath` once more, for reading and writing. Throws the system's error. */
export function reopenTarget(path: string, options: ReopenOptions): Reopened {
  return reopen(path, constants.O_RDWR, options)
}

function reopen(path: string, flags: number, options: ReopenOptions): Reopened {
  let direct = options.direct
  let fd: number
  try {
    fd = openSync(path, flags | (direct ? constants.O_DIRECT : 0))
  } catch (error) {
    if (!direct || errnoOf(error) !== 'EINVAL') throw error
    direct = false
    fd = openSync(path, flags)
  }
  return { fd, direct, [Symbol.dispose]: () => closeSync(fd) }
}
