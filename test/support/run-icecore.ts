import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'

import { pathWithSystemFolders } from '../../tools/test/debian-packages.ts'

const PROGRAM = fileURLToPath(new URL('../../src/cli/icecore.js', import.meta.url))

export type IcecoreOptions = {
  /** Instead of the sources. */
  readonly program?: string
  readonly environment?: Readonly<Record<string, string>>
  /** Standard input; none by default, so that nothing waits for a person. */
  readonly input?: string
  readonly cwd?: string
  /** Runs it as this user, which only root can; the group has the same number. */
  readonly userId?: number
  /** Called with the running process: to send it a signal. */
  readonly onStart?: (child: ChildProcess) => void
}

export type IcecoreResult = {
  /** Null when a signal ended the program. */
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  /** Standard output as JSON; undefined when it is none. */
  readonly json: unknown
}

/** Runs the command line as a user does, in a process of its own with no settings but those given. */
export async function runIcecore(
  words: readonly string[],
  options: IcecoreOptions = {},
): Promise<IcecoreResult> {
  const child = spawn(process.execPath, [options.program ?? PROGRAM, ...words], {
    cwd: options.cwd,
    ...(options.userId === undefined ? {} : { uid: options.userId, gid: options.userId }),
    env: {
      ...environmentWithoutSettings(),
      PATH: pathWithSystemFolders(process.env['PATH']),
      ...options.environment,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  child.stdin.on('error', () => undefined) // The program may end before it read its input.
  child.stdin.end(options.input ?? '')
  options.onStart?.(child)
  const { promise, resolve, reject } = Promise.withResolvers<IcecoreResult>()
  child.on('error', reject)
  child.on('close', (exitCode, signal) =>
    resolve({ exitCode, signal, stdout, stderr, json: parsedOrUndefined(stdout) }),
  )
  return await promise
}

/** A user's own repository and password must not reach a test. */
function environmentWithoutSettings(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(ICECORE_|XDG_|NODE_TEST_CONTEXT$)/.test(name)),
  )
}

function parsedOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
