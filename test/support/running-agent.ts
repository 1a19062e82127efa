import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { testAgentFolder, testAuthority } from './authority.ts'
import { eventually } from './eventually.ts'

const PROGRAM = fileURLToPath(new URL('../../src/cli/icecore.js', import.meta.url))
export const AGENT_HOST = '127.0.0.1'

/** `icecore agent run` in a process of its own, enrolled with an authority that lies beside it. */
export type RunningAgent = AsyncDisposable & {
  readonly child: ChildProcess
  readonly port: number
  /** Words for `icecore backup`. */
  readonly words: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly output: () => string
}

/** A pattern, or one that restores may write too. */
export type AgentSource = string | { readonly path: string; readonly restore: boolean }

export async function startAgent(folder: string, sources: readonly AgentSource[]): Promise<RunningAgent> {
  const authorityFolder = `${folder}/authority`
  const place = `${folder}/agent`
  mkdirSync(folder, { recursive: true })
  const authority = await testAuthority(authorityFolder)
  await testAgentFolder(authority, { name: AGENT_HOST, folder: place })
  return await startEnrolledAgent(folder, sources)
}

/** The same agent again, after it ended. */
export async function startEnrolledAgent(
  folder: string,
  sources: readonly AgentSource[],
): Promise<RunningAgent> {
  const place = `${folder}/agent`
  const lines = sources.map((source) => `  - ${JSON.stringify(source)}\n`).join('')
  writeFileSync(`${place}/agent.yaml`, `listen: ${AGENT_HOST}:0\nsources:\n${lines}`)
  const child = spawn(process.execPath, [PROGRAM, 'agent', 'run', '--folder', place], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      XDG_STATE_HOME: `${folder}/state`,
      STATE_DIRECTORY: `${folder}/state/agent`,
      HOME: folder,
    },
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text))
  await eventually(() => {
    if (child.exitCode !== null) throw new Error(`the agent ended: ${output}`)
    return / port \d+/.test(output)
  })
  const port = Number(/ port (\d+)/.exec(output)?.[1])
  return {
    child,
    port,
    words: ['--agent', `${AGENT_HOST}:${port}`, '--authority', `${folder}/authority`],
    environment: { HOME: folder },
    output: () => output,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'close')
      child.kill('SIGTERM')
      await ended
    },
  }
}
