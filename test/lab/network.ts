import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

import { asLabUser } from '../../tools/lab/lab-user.ts'
import { pathWithSystemFolders } from '../../tools/test/debian-packages.ts'
import type { Watchdog } from './watchdog.ts'

const START_TIMEOUT_MS = 30_000

export type Network = {
  /** The socket that hosts attach to. */
  readonly socket: string
  stop(): Promise<void>
}

/** A switch that connects a lab's hosts with each other and with nothing else; it is a process, no device. */
export async function startNetwork(folder: string, watchdog: Watchdog): Promise<Network> {
  const socket = join(folder, 'switch')
  const [program, ...words] = [...asLabUser(), 'uml_switch', '-unix', socket]
  const child = spawn(program, words, {
    detached: true,
    // Its standard input must not end: it would look at it without a pause.
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { PATH: pathWithSystemFolders(process.env['PATH']) },
  })
  const ended = new Promise<void>((resolve) => {
    child.on('error', () => resolve())
    child.on('exit', () => resolve())
  })
  if (child.pid !== undefined) watchdog.watch(child.pid)
  const deadline = performance.now() + START_TIMEOUT_MS
  while (!existsSync(socket)) {
    if (performance.now() > deadline || child.exitCode !== null || child.pid === undefined)
      throw new Error(`Cannot start "uml_switch": it made no socket "${socket}"`)
    await setTimeout(10)
  }
  return {
    socket,
    stop: async () => {
      child.kill('SIGKILL')
      await ended
      if (child.pid !== undefined) watchdog.forget(child.pid)
    },
  }
}

/** The kernel's word for a network card at this address; cards of one network differ in the address's last number. */
export function networkWord(socket: string, address: string): string {
  const last = Number(/^\d+\.\d+\.\d+\.(\d+)$/.exec(address)?.[1])
  if (!(last >= 1 && last <= 254))
    throw new RangeError(
      `Cannot attach a host at "${address}": four numbers are needed, the last from 1 to 254`,
    )
  return `eth0=daemon,52:54:00:77:00:${last.toString(16).padStart(2, '0')},unix,${socket}`
}
