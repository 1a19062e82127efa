// What LVM's commands lock while they change a volume group: lvmlocking in lvm.conf(5), "global/locking_dir".
import { closeSync, constants, fstatSync, mkdirSync, openSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import { errnoOf } from '../../domain/errno.ts'
import { syscalls, type Syscalls } from '../syscalls.ts'
import { runLvm } from './run-lvm.ts'

const RETRY_MS = 50
/** A command that changes a group takes a second or two; one that waits for data to be moved holds no lock meanwhile. */
const WAIT_MAX_MS = 60_000

/**
 * The folder of LVM's locks; null where a process cannot take one of them. Commands of other hosts, and those that are
 * told to go without locks, are not held back by them.
 */
export async function groupLockFolder(signal: AbortSignal): Promise<string | null> {
  if (syscalls() === null) return null
  const words = ['lvmconfig', '--type', 'full', 'global/locking_dir']
  const action = 'ask LVM where its locks are'
  const text = await runLvm(words, { action, code: ErrorCode.TargetUnsuitable, signal })
  return /^locking_dir="(\/[^"]+)"$/m.exec(text)?.[1] ?? null
}

/**
 * Keeps LVM's commands on this host from changing a volume group; those that only look at it go on. Who waits to change
 * it goes first. Throws TARGET_IN_USE when that takes longer than a minute.
 */
export async function holdGroup(
  group: { readonly lockFolder: string; readonly name: string },
  signal: AbortSignal,
): Promise<Disposable> {
  const kernel = syscalls()
  if (kernel === null) throw new TypeError('there is no lock without a native library')
  mkdirSync(group.lockFolder, { recursive: true, mode: 0o700 })
  const path = join(group.lockFolder, `V_${group.name}`)
  for (let waitedMs = 0; waitedMs < WAIT_MAX_MS; waitedMs += RETRY_MS) {
    signal.throwIfAborted()
    const held = isChangeWaiting(kernel, path) ? null : tryHold(kernel, path)
    if (held !== null) return held
    await sleep(RETRY_MS, undefined, { signal })
  }
  const message = `Cannot hold volume group "${group.name}": commands of LVM have been changing it for ${WAIT_MAX_MS / 1000} s, required is that they end`
  throw new BackupError(ErrorCode.TargetInUse, message, { data: { group: group.name } })
}

/** A command that waits to change a group holds this second file, and no reader passes it. */
function isChangeWaiting(kernel: Syscalls, path: string): boolean {
  const fd = openLock(`${path}:aux`)
  try {
    return !kernel.tryLock(fd)
  } finally {
    closeSync(fd)
  }
}

/** Null when somebody changes the group. The file goes away with its last user: a lock on one that is gone is none. */
function tryHold(kernel: Syscalls, path: string): Disposable | null {
  const fd = openLock(path)
  try {
    if (kernel.tryLockShared(fd) && isStillAt(fd, path)) return closing(fd)
  } catch (error) {
    closeSync(fd)
    throw error
  }
  closeSync(fd)
  return null
}

function closing(fd: number): Disposable {
  let isOpen = true
  return {
    [Symbol.dispose]: () => {
      if (isOpen) closeSync(fd)
      isOpen = false
    },
  }
}

function openLock(path: string): number {
  return openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600)
}

function isStillAt(fd: number, path: string): boolean {
  try {
    const [held, there] = [fstatSync(fd), statSync(path)]
    return held.ino === there.ino && held.dev === there.dev
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false
    throw error
  }
}
