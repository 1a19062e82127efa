import { fileURLToPath } from 'node:url'

import type { CommandOptions, CommandResult, GuestProcess } from './guest-process.ts'
import type { LabHost } from './lab-host.ts'

/** As it is installed: on a host of the lab it starts a third sooner than its sources. */
const PROGRAM = fileURLToPath(new URL('../../dist/icecore.js', import.meta.url))

/** Runs the command line on a host, as a user there does. */
export async function icecoreOnHost(
  host: LabHost,
  words: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return await host.runNode(PROGRAM, words, options)
}

/** The command line on a host as a process that goes on. */
export function startIcecore(
  host: LabHost,
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): GuestProcess {
  return host.start([process.execPath, PROGRAM, ...words], { environment })
}

/** The same, and how many seconds of processor it used, with all that it started. */
export async function timedIcecore(
  host: LabHost,
  words: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<{ readonly result: CommandResult; readonly cpuSeconds: number }> {
  const timed = ['bash', '-c', 'TIMEFORMAT="processor %U %S"; time "$@"', 'timed']
  const result = await host.run([...timed, process.execPath, PROGRAM, ...words], {
    environment,
    timeoutSeconds: 1200,
  })
  const [, user, system] = /^processor ([\d.]+) ([\d.]+)$/m.exec(result.stderr) ?? []
  return { result, cpuSeconds: Number(user) + Number(system) }
}
