import { spawnSync } from 'node:child_process'

import { pathWithSystemFolders } from '../../tools/test/debian-packages.ts'

/** More than any of these tools prints. */
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024

export type ToolOptions = {
  readonly input?: string | Uint8Array
  readonly environment?: Readonly<Record<string, string>>
  /** Exit codes that are no failure; default only 0. `e2fsck` ends with 1 when it repaired something. */
  readonly allowedExitCodes?: readonly number[]
}

/**
 * Runs a tool of the system (`mke2fs`, `losetup`) and returns its standard output. Tools in `sbin` are found as
 * an ordinary user too. Throws an Error with the whole output when the tool is missing or fails.
 */
export function runTool(command: string, words: readonly string[], options: ToolOptions = {}): string {
  const result = spawnSync(command, words, {
    encoding: 'utf8',
    env: {
      ...process.env,
      PATH: pathWithSystemFolders(process.env['PATH']),
      LC_ALL: 'C.UTF-8',
      TZ: 'UTC',
      ...options.environment,
    },
    input: options.input ?? '',
    maxBuffer: OUTPUT_BYTES_MAX,
  })
  if (result.error !== undefined) throw new Error(`Cannot run "${command}"`, { cause: result.error })
  if (result.status !== null && (options.allowedExitCodes ?? [0]).includes(result.status))
    return result.stdout
  const ending = result.status === null ? `signal ${result.signal}` : `exit code ${result.status}`
  throw new Error(
    `Cannot run "${[command, ...words].join(' ')}": ${ending}\n${result.stdout}${result.stderr}`,
  )
}
