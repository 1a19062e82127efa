import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, readdirSync, statfsSync } from 'node:fs'
import { Duplex, type Readable, type Writable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'

import { asLabUser } from '../../tools/lab/lab-user.ts'
import type { Lab } from './lab.ts'

const KILL_TIMEOUT_MS = 30_000

/** A running kernel. */
export type UmlProcess = {
  /** The two directions of the guest's serial line. */
  readonly toGuest: Writable
  readonly fromGuest: Readable
  /** Resolves when it ended, by itself or not. */
  readonly ended: Promise<void>
  /** Ends it at once, as a power cut does; resolves when nothing of it is left. */
  kill(): Promise<void>
}

export type UmlOptions = {
  readonly words: readonly string[]
  readonly memoryMiB: number
  readonly logPath: string
  /** Hands on this process's terminal, as files 5 and 6. */
  readonly terminal: boolean
}

export function startUml(lab: Lab, options: UmlOptions): UmlProcess {
  const [program = '', ...words] = [...asLabUser(), lab.kernel.path, ...options.words]
  const log = openSync(options.logPath, 'a')
  const child = spawn(program, words, {
    cwd: lab.folder,
    // A group of its own: the kernel has a process on this machine for each of the guest's.
    detached: true,
    env: { PATH: process.env['PATH'], ...memoryFolder(lab, options.memoryMiB) },
    stdio: ['ignore', log, log, 'pipe', 'pipe', ...(options.terminal ? ([0, 1] as const) : [])],
  })
  closeSync(log)
  const processGroup = child.pid
  if (processGroup === undefined) throw new Error(`Cannot start "${program}": see whether it is installed`)
  lab.watchdog.watch(processGroup)
  const { promise: ended, resolve } = Promise.withResolvers<void>()
  child.on('exit', () => resolve())
  const toGuest = requirePipe(child.stdio[3])
  const fromGuest = requirePipe(child.stdio[4])
  toGuest.on('error', () => undefined) // Cut off with the guest.
  return {
    toGuest,
    fromGuest,
    ended,
    kill: async () => {
      await killGroup(processGroup)
      await ended
      toGuest.destroy()
      fromGuest.destroy()
      lab.watchdog.forget(processGroup)
    },
  }
}

/** What is spawned with a pipe has a socket there, which goes both ways. */
function requirePipe(stream: Readable | Writable | null | undefined): Duplex {
  if (stream instanceof Duplex) return stream
  throw new TypeError('Cannot talk to a lab host: a pipe of its kernel is missing')
}

/** The guest's memory is a file, which the kernel makes in /dev/shm unless it is told otherwise. */
function memoryFolder(lab: Lab, memoryMiB: number): NodeJS.ProcessEnv {
  const { bavail, bsize } = statfsSync('/dev/shm')
  return bavail * bsize >= memoryMiB * 1024 * 1024 ? {} : { TMPDIR: lab.folder }
}

async function killGroup(processGroup: number): Promise<void> {
  try {
    process.kill(-processGroup, 'SIGKILL')
  } catch {
    return // Nobody is left.
  }
  const deadline = performance.now() + KILL_TIMEOUT_MS
  while (isGroupRunning(processGroup)) {
    if (performance.now() > deadline)
      throw new Error(`Cannot kill process group ${processGroup}: it still runs after ${KILL_TIMEOUT_MS} ms`)
    await setTimeout(10)
  }
}

/** What has ended and only waits for its parent to notice holds nothing any more; where nobody looks, it waits for ever. */
function isGroupRunning(processGroup: number): boolean {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .some((name) => {
      try {
        const text = readFileSync(`/proc/${name}/stat`, 'utf8')
        // After the name in parentheses, which may have spaces in it: state, parent, process group.
        const [state, , group] = text.slice(text.lastIndexOf(')') + 2).split(' ')
        return Number(group) === processGroup && state !== 'Z' && state !== 'X'
      } catch {
        return false // It ended meanwhile.
      }
    })
}
