// Runs in a guest: the command line without a process of its own, which is slow to start there.
import { COMMANDS, FAMILIES } from '../../../src/cli/command-table.ts'
import { runProgram } from '../../../src/cli/run-program.ts'
import { systemRandomness } from '../../../src/cli/system-randomness.ts'
import { VERSION } from '../../../src/cli/version.ts'
import { systemClock } from '../../../src/domain/clock.ts'
import { fakeTerminal } from '../../support/fake-terminal.ts'

/** `json` is what it printed for `--json`; `text` is for people who want to know what went wrong. */
export type Said = { readonly exitCode: number; readonly json: unknown; readonly text: string }

/** Runs the command line on `words` and `--json`. */
export async function icecoreInProcess(...words: readonly string[]): Promise<Said> {
  const { terminal, printed } = fakeTerminal(false)
  const parts = { commands: COMMANDS, families: FAMILIES, version: VERSION }
  const host = {
    environment: process.env,
    terminal,
    clock: systemClock,
    randomness: systemRandomness,
    signal: new AbortController().signal,
  }
  const exitCode = await runProgram(parts, [...words, '--json'], host)
  const text = `${words.join(' ')}: ${exitCode}\n${printed.output}${printed.messages}`
  const json: unknown = printed.output === '' ? null : JSON.parse(printed.output)
  return { exitCode, json, text }
}
