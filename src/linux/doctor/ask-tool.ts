import { findProgram } from '../find-program.ts'
import { readProgramOutput } from '../program-output.ts'

const TIMEOUT_MS = 20_000
const OUTPUT_MAX_BYTES = 1024 * 1024

export type ToolAnswer =
  | { readonly kind: 'answer'; readonly text: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'silent'; readonly reason: string }

/** What a program of the system prints when it is asked for something that changes nothing. */
export async function askTool(
  name: string,
  words: readonly string[],
  signal: AbortSignal,
): Promise<ToolAnswer> {
  const program = findProgram(name, process.env['PATH'])
  if (program === null) return { kind: 'missing' }
  const output = await readProgramOutput(
    {
      program,
      arguments: words,
      environment: { LC_ALL: 'C', LVM_SUPPRESS_FD_WARNINGS: '1' },
      timeoutMs: TIMEOUT_MS,
      outputMaxBytes: OUTPUT_MAX_BYTES,
    },
    signal,
  )
  return output.ok ? { kind: 'answer', text: output.text } : { kind: 'silent', reason: output.reason }
}
