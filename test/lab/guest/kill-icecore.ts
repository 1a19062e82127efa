// Runs in a guest: starts the command line and kills it, at a moment or as soon as a device is suspended; says which it
// was. See ../lvm-kill.ts.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { openMapperCalls } from '../../../src/linux/lvm/mapper-calls.ts'

const PROGRAM = fileURLToPath(new URL('../../../src/cli/icecore.js', import.meta.url))

export type Kill = {
  readonly words: readonly string[]
  /** After this time; null: when one of the devices is seen suspended. */
  readonly afterMs: number | null
  readonly devices: readonly string[]
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- ../lvm-kill.ts wrote it
const { words, afterMs, devices } = JSON.parse(process.argv[2] ?? '') as Kill
using calls = openMapperCalls()
const child = spawn(process.execPath, [PROGRAM, ...words], { stdio: 'inherit' })
const exited = once(child, 'exit')
if (afterMs !== null) await Promise.race([setTimeout(afterMs), exited])
else
  while (child.exitCode === null && child.signalCode === null && !(await anySuspended())) await setTimeout(1)
child.kill('SIGKILL')
await exited
process.stdout.write(`${child.signalCode === 'SIGKILL' ? 'killed' : 'ended'}\n`)

async function anySuspended(): Promise<boolean> {
  for (const device of devices) if ((await calls?.isSuspended(device)) === true) return true
  return false
}
