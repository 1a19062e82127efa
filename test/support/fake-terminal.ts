import { PassThrough, Writable } from 'node:stream'
import { openTerminal, type Terminal } from '../../src/cli/terminal.ts'

export type FakeTerminal = {
  readonly terminal: Terminal
  /** What was written so far. */
  readonly printed: { output: string; messages: string }
  /** Standard input; write to it what a person would type. */
  readonly input: PassThrough & { isTTY: boolean; setRawMode(raw: boolean): void }
  /** The modes that the input was put into. */
  readonly rawModes: boolean[]
}

/** A terminal in memory, for tests. */
export function fakeTerminal(isTty: boolean, environment: Record<string, string> = {}): FakeTerminal {
  const printed = { output: '', messages: '' }
  const rawModes: boolean[] = []
  const stream = (name: 'output' | 'messages'): Writable & { isTTY: boolean; columns: number } =>
    Object.assign(
      new Writable({
        write: (chunk, _encoding, done) => {
          printed[name] += String(chunk)
          done()
        },
      }),
      { isTTY: isTty, columns: 80 },
    )
  const input = Object.assign(new PassThrough(), {
    isTTY: isTty,
    setRawMode: (raw: boolean) => void rawModes.push(raw),
  })
  const streams = { stdin: input, stdout: stream('output'), stderr: stream('messages') }
  return { terminal: openTerminal(streams, environment), printed, input, rawModes }
}
