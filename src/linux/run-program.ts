import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { TailBuffer } from './tail-buffer.ts'

/** A program with its arguments: no shell reads them. */
export type ProgramToRun = {
  readonly command: readonly string[]
  /** All of its environment: nothing else is inherited. */
  readonly environment: Readonly<Record<string, string>>
  /** After this time its process group gets SIGTERM, and a while later SIGKILL. */
  readonly timeoutMs: number
}

/** What became of a program. */
export type ProgramEnd = {
  readonly durationMs: number
  /** Null when a signal ended it, or when it never began. */
  readonly exitCode: number | null
  readonly signal: string | null
  /** Why it was not started, or was ended before its time, as half a sentence; null when it ended by itself. */
  readonly failure: string | null
  /** The end of what it wrote to standard output and standard error, together. */
  readonly output: string
}

export type RunningProgram = {
  /** Never rejects. */
  readonly end: Promise<ProgramEnd>
  /** Ends its process group in order, then by force. `reason` is half a sentence for `failure`. */
  stop(reason: string): void
  /** Ends what it left running in its process group, when it has ended itself. */
  endLeftovers(): Promise<void>
}

const OUTPUT_BYTES_MAX = 64 * 1024
/** Between SIGTERM and SIGKILL. */
const GRACE_MS = 5000
/** For output that is still in the pipe when the program has ended; a process that it left behind may hold the pipe open. */
const OUTPUT_WAIT_MS = 200

/**
 * Starts a program in a session and a process group of its own, in `/`, with no input. Neither a terminal's signals
 * nor the end of this process reach it. What it leaves running goes on running.
 */
export function startProgram(program: ProgramToRun, graceMs: number = GRACE_MS): RunningProgram {
  const startedAt = performance.now()
  const output = new TailBuffer(OUTPUT_BYTES_MAX)
  let failure: string | null = null
  const [file = '', ...words] = program.command
  const child = spawn(file, words, {
    cwd: '/',
    env: { ...program.environment },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  standBack(child)
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (piece: Uint8Array) => output.add(piece))
    stream.on('error', () => {}) // What was read until then is what there is.
  }
  const ended = new AbortController()
  const stop = (reason: string): void => {
    if (ended.signal.aborted || failure !== null) return
    failure = reason
    void killInOrder(child, graceMs, ended.signal)
  }
  const deadline = setTimeout(
    () => stop(`it did not end within ${program.timeoutMs / 1000} s`),
    program.timeoutMs,
  )
  const end = whenEnded(child).then(async (how) => {
    clearTimeout(deadline)
    ended.abort()
    const durationMs = Math.round(performance.now() - startedAt)
    // Whatever a program that had to be stopped has started is part of what must end.
    if (failure !== null) killGroup(child, 'SIGKILL')
    await outputEnds(child)
    return { durationMs, ...how, failure: failure ?? how.failure, output: output.text() }
  })
  return { end, stop, endLeftovers: () => endLeftovers(child, graceMs) }
}

type Ending = Pick<ProgramEnd, 'exitCode' | 'signal' | 'failure'>

async function whenEnded(child: ChildProcess): Promise<Ending> {
  try {
    // Not `close`: that waits for all who hold the output open, and a program may leave one behind on purpose.
    await once(child, 'exit')
    return { exitCode: child.exitCode, signal: child.signalCode, failure: null }
  } catch (error) {
    return { exitCode: null, signal: null, failure: startFailure(error) }
  }
}

function startFailure(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
  if (code === 'ENOENT') return 'there is no such program'
  if (code === 'EACCES') return 'it is not executable'
  return `it cannot be started: the system reports ${code}`
}

async function outputEnds(child: ChildProcess): Promise<void> {
  const streams = [child.stdout, child.stderr]
    .filter((stream) => stream !== null)
    .filter((stream) => !stream.closed)
  const closed = Promise.allSettled(streams.map((stream) => once(stream, 'close')))
  const waiting = new AbortController()
  await Promise.race([closed, sleep(OUTPUT_WAIT_MS, undefined, { signal: waiting.signal })])
  waiting.abort()
  for (const stream of [child.stdout, child.stderr]) stream?.destroy()
}

async function killInOrder(child: ChildProcess, graceMs: number, ended: AbortSignal): Promise<void> {
  killGroup(child, 'SIGTERM')
  try {
    await sleep(graceMs, undefined, { signal: ended })
    killGroup(child, 'SIGKILL')
  } catch {
    // It ended in time.
  }
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): boolean {
  if (child.pid === undefined) return false
  try {
    return process.kill(-child.pid, signal)
  } catch {
    return false // Nobody is left in it.
  }
}

async function endLeftovers(child: ChildProcess, graceMs: number): Promise<void> {
  if (child.pid === undefined || child.exitCode === null) return
  // The leader has ended, so a process of this number is another one: the group was empty and the number is used again.
  if (isThere(child.pid)) return
  if (!killGroup(child, 'SIGTERM')) return
  const stepMs = 50
  for (let waitedMs = 0; waitedMs < graceMs; waitedMs += stepMs) {
    await sleep(stepMs)
    if (isThere(child.pid) || !groupIsThere(child.pid)) return
  }
  killGroup(child, 'SIGKILL')
}

function isThere(pid: number): boolean {
  return textOf(`/proc/${pid}/stat`) !== null
}

function groupIsThere(groupId: number): boolean {
  try {
    return process.kill(-groupId, 0)
  } catch {
    return false
  }
}

/** A process that the kernel must not choose when memory is short does not pass that on to what it starts. */
function standBack(child: ChildProcess): void {
  if (child.pid === undefined || textOf('/proc/self/oom_score_adj')?.trim() === '0') return
  try {
    writeFileSync(`/proc/${child.pid}/oom_score_adj`, '0')
  } catch {
    // It has ended already, or this is not ours to say.
  }
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
