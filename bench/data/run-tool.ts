import { spawnSync } from 'node:child_process'

/** Runs a tool to its end and returns its standard output. Throws with what it wrote when it fails. */
export function runTool(
  program: string,
  args: readonly string[],
  options: {
    readonly acceptedExitCodes?: readonly number[]
    readonly env?: Record<string, string>
    readonly input?: string
  } = {},
): string {
  const result = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
    env: { ...process.env, LC_ALL: 'C', ...options.env },
    ...(options.input === undefined ? {} : { input: options.input }),
  })
  const accepted = options.acceptedExitCodes ?? [0]
  if (result.error === undefined && result.status !== null && accepted.includes(result.status)) {
    return result.stdout
  }
  const found =
    result.error?.message ?? `exit code ${result.status ?? result.signal}: ${result.stderr.trim()}`
  throw new Error(`Cannot run "${program} ${args.join(' ').slice(0, 200)}": ${found}`)
}
