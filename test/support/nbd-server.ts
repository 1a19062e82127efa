import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

import { pathWithSystemFolders } from '../../tools/test/debian-packages.ts'
import type { TemporaryFolder } from './temporary-folder.ts'

export type NbdServer = AsyncDisposable & {
  /** `nbd+unix:///EXPORT?socket=…`; the export's name is empty unless it is given. */
  readonly uri: (exportName?: string) => string
  readonly socket: string
  /** Ends it at once, as a power cut would. */
  kill(): Promise<void>
  /** Resolves when it has ended by itself. */
  readonly ended: Promise<void>
}

const START_DEADLINE_MS = 20_000
const POLL_MS = 10
let count = 0

/** Starts a real server of NBD that listens on a socket in `folder`; it ends with the block. */
export async function startNbdServer(
  folder: TemporaryFolder,
  command: (at: { readonly socket: string; readonly pidFile: string }) => readonly string[],
): Promise<NbdServer> {
  count += 1
  const socket = folder.join(`nbd-${count}.sock`)
  const pidFile = folder.join(`nbd-${count}.pid`)
  const [program = '', ...words] = command({ socket, pidFile })
  const child = spawn(program, words, {
    env: { ...process.env, PATH: pathWithSystemFolders(process.env['PATH']), LC_ALL: 'C.UTF-8' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  const { promise: ended, resolve } = Promise.withResolvers<void>()
  child.on('error', (error) => {
    said += String(error)
    resolve()
  })
  child.on('close', () => resolve())
  for (let waitedMs = 0; !existsSync(pidFile); waitedMs += POLL_MS) {
    if (child.exitCode !== null || child.pid === undefined || waitedMs > START_DEADLINE_MS) {
      child.kill('SIGKILL')
      throw new Error(`Cannot start ${program} ${words.join(' ')}: ${said}`)
    }
    await sleep(POLL_MS)
  }
  async function kill(signal: NodeJS.Signals): Promise<void> {
    child.kill(signal)
    await ended
  }
  return {
    socket,
    uri: (exportName = '') =>
      `nbd+unix:///${encodeURIComponent(exportName)}?socket=${encodeURIComponent(socket)}`,
    ended,
    kill: () => kill('SIGKILL'),
    [Symbol.asyncDispose]: () => kill('SIGKILL'),
  }
}

/** `nbdkit` with these words, in one process. */
export async function startNbdkit(folder: TemporaryFolder, words: readonly string[]): Promise<NbdServer> {
  return await startNbdServer(folder, ({ socket, pidFile }) => [
    'nbdkit',
    '--foreground',
    `--unix=${socket}`,
    `--pidfile=${pidFile}`,
    ...words,
  ])
}

/** `qemu-nbd` with these words; it serves any number of clients, one after the other. */
export async function startQemuNbd(folder: TemporaryFolder, words: readonly string[]): Promise<NbdServer> {
  return await startNbdServer(folder, ({ socket, pidFile }) => [
    'qemu-nbd',
    '--persistent',
    `--socket=${socket}`,
    `--pid-file=${pidFile}`,
    ...words,
  ])
}
