import { execFile } from 'node:child_process'

export type ProgramCall = {
  readonly program: string
  readonly arguments: readonly string[]
  /** On top of what this process has. */
  readonly environment?: Readonly<Record<string, string>>
  /** The program is killed after this time. */
  readonly timeoutMs: number
  /** The program is killed when it prints more. */
  readonly outputMaxBytes: number
}

/** What became of a program: its output and what it said beside it, or one phrase that says why there is none. */
export type ProgramOutput =
  | { readonly ok: true; readonly text: string; readonly messages: string }
  | { readonly ok: false; readonly reason: string }

/**
 * Runs a program without a shell and gives what it wrote to standard output. The reason of a failure never
 * repeats the arguments, which may hold what nobody else should read.
 */
export async function readProgramOutput(call: ProgramCall, signal: AbortSignal): Promise<ProgramOutput> {
  signal.throwIfAborted()
  const output = await new Promise<ProgramOutput>((resolve) => {
    const env = { ...process.env, ...call.environment }
    const options = { timeout: call.timeoutMs, maxBuffer: call.outputMaxBytes, signal, env }
    execFile(call.program, call.arguments, options, (error, stdout, stderr) => {
      resolve(
        error === null
          ? { ok: true, text: stdout, messages: stderr }
          : { ok: false, reason: reasonOf(error, stderr, call) },
      )
    })
  })
  signal.throwIfAborted()
  return output
}

function reasonOf(
  error: Error & { code?: unknown; killed?: boolean },
  stderr: string,
  call: ProgramCall,
): string {
  if (error.code === 'ENOENT') return 'there is no such program'
  if (error.code === 'EACCES') return 'it is not executable'
  if (error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER')
    return `it wrote more than ${call.outputMaxBytes} bytes`
  if (error.killed === true) return `it did not end within ${call.timeoutMs / 1000} s`
  const said = stderr.trim().split('\n')[0] ?? ''
  const end = typeof error.code === 'number' ? `it ended with exit code ${error.code}` : 'it was killed'
  return said === '' ? end : `${end} and said "${said.slice(0, 200)}"`
}
