import { BUILT_PROGRAM } from '../../tools/build/built-program.ts'
import type { CommandOptions, CommandResult, GuestProcess } from './guest-process.ts'
import type { LabHost } from './lab-host.ts'

/** Runs the command line on a host, as a user there does: the built program, which starts a third sooner than its sources. */
export async function icecoreOnHost(
  host: LabHost,
  words: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return await host.runNode(BUILT_PROGRAM, words, options)
}

/** The command line on a host as a process that goes on. */
export function startIcecore(
  host: LabHost,
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): GuestProcess {
  return host.start([process.execPath, BUILT_PROGRAM, ...words], { environment })
}

/** The same, and how many seconds of processor it used, with all that it started. */
export async function timedIcecore(
  host: LabHost,
  words: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<{ readonly result: CommandResult; readonly cpuSeconds: number }> {
  const timed = ['bash', '-c', 'TIMEFORMAT="processor %U %S"; time "$@"', 'timed']
  const result = await host.run([...timed, process.execPath, BUILT_PROGRAM, ...words], {
    environment,
    timeoutSeconds: 1200,
  })
  const [, user, system] = /^processor ([\d.]+) ([\d.]+)$/m.exec(result.stderr) ?? []
  return { result, cpuSeconds: Number(user) + Number(system) }
}
