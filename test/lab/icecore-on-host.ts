import { fileURLToPath } from 'node:url'

import type { CommandOptions, CommandResult, GuestProcess } from './guest-process.ts'
import type { LabHost } from './lab-host.ts'

const PROGRAM = fileURLToPath(new URL('../../src/cli/icecore.js', import.meta.url))

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
