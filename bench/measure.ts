import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'

/** A program to run. `env` is added to the environment. */
export type Command = {
  readonly argv: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly folder?: string
  readonly acceptedExitCodes?: readonly number[]
}

export type Measurement = {
  readonly wallMs: number
  /** User and system time of the process and all its children. */
  readonly cpuMs: number
  /** Of the largest process. */
  readonly peakMemoryBytes: number
  readonly exitCode: number
  readonly stdout: string
}

const TIME_PROGRAM = '/usr/bin/time'
const ERROR_TAIL_CHARS = 2000

/**
 * Runs the command under GNU time. Its own small process starts the program, so that the peak is the program's and
 * not that of this one, which a child of Node inherits until it calls exec. `scratch` is a folder for the outputs.
 * Throws when the exit code is none that the command accepts.
 */
export async function measure(command: Command, scratch: string): Promise<Measurement> {
  const files = {
    time: join(scratch, 'time'),
    stdout: join(scratch, 'stdout'),
    stderr: join(scratch, 'stderr'),
  }
  const argv = ['-f', '%U %S %M', '-o', files.time, ...command.argv]
  const stdout = openSync(files.stdout, 'w')
  const stderr = openSync(files.stderr, 'w')
  const startMs = performance.now()
  const exitCode = await new Promise<number>((resolve, reject) => {
    const child = spawn(TIME_PROGRAM, argv, {
      cwd: command.folder,
      env: { ...process.env, ...command.env },
      stdio: ['ignore', stdout, stderr],
    })
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? -1))
  })
  const wallMs = performance.now() - startMs
  closeSync(stdout)
  closeSync(stderr)
  const output = { stdout: readFileSync(files.stdout, 'utf8'), stderr: readFileSync(files.stderr, 'utf8') }
  if (!(command.acceptedExitCodes ?? [0]).includes(exitCode)) {
    const tail = `${output.stdout}${output.stderr}`.slice(-ERROR_TAIL_CHARS)
    throw new Error(`Cannot run "${command.argv.join(' ')}": exit code ${exitCode}\n${tail}`)
  }
  const usage = parseUsage(readFileSync(files.time, 'utf8'))
  for (const file of Object.values(files)) rmSync(file)
  return { wallMs, ...usage, exitCode, stdout: output.stdout }
}

/** The last line that `time -f '%U %S %M'` wrote: seconds, seconds, KiB. A line before it names an exit code. */
export function parseUsage(text: string): { readonly cpuMs: number; readonly peakMemoryBytes: number } {
  const [userS, systemS, peakKib] = (text.trim().split('\n').at(-1) ?? '').split(' ').map(Number)
  if (
    userS === undefined ||
    systemS === undefined ||
    peakKib === undefined ||
    !Number.isFinite(userS + systemS + peakKib)
  ) {
    throw new SyntaxError(`Cannot read the output of ${TIME_PROGRAM}: "${text}"`)
  }
  return { cpuMs: (userS + systemS) * 1000, peakMemoryBytes: peakKib * 1024 }
}
