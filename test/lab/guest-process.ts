import type { Answer, OutputStream } from './guest/messages.ts'
import type { GuestLine } from './guest-line.ts'

export type CommandResult = {
  /** Null when a signal ended it. */
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  readonly stdoutBytes: Buffer
}

export type CommandOptions = {
  /** Default 300 s, many times what a command takes. */
  readonly timeoutSeconds?: number
  readonly stdin?: string | Uint8Array
  readonly environment?: Readonly<Record<string, string>>
  /** Default `/root`, an empty folder in memory. */
  readonly cwd?: string
}

/** More is a test that reads a disk over the serial line: the shared folder is the place for that. */
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024

/** A process in a guest that was started and not waited for. */
export class GuestProcess {
  /** Resolves when the process ended; rejects when it could not be started, or the host was cut off. */
  readonly ended: Promise<CommandResult>
  readonly #line: GuestLine
  readonly #id: number
  readonly #chunks: Record<OutputStream, Buffer[]> = { stdout: [], stderr: [] }
  readonly #started = Promise.withResolvers<number>()
  readonly #end = Promise.withResolvers<CommandResult>()
  readonly #waiting = new Set<() => void>()
  #outputBytes = 0

  constructor(line: GuestLine, argv: readonly string[], options: CommandOptions) {
    this.#line = line
    this.ended = this.#end.promise
    this.ended.catch(() => undefined) // Whoever waits for it hears of it.
    this.#started.promise.catch(() => undefined)
    const { stdin = '', environment = {}, cwd = '/root' } = options
    this.#id = line.request(
      (id) => ({ kind: 'start', id, argv, environment, cwd, stdin: Buffer.from(stdin).toString('base64') }),
      { heard: (answer) => this.#hear(answer, argv), cutOff: (error) => this.#fail(error) },
    )
  }

  /** The number of the process on the host, and of the group of all that it starts. */
  async processId(): Promise<number> {
    return await this.#started.promise
  }

  /** What it has printed so far. */
  soFar(stream: OutputStream): string {
    return Buffer.concat(this.#chunks[stream]).toString()
  }

  /** To the process and all that it has started. */
  signal(signal: NodeJS.Signals): void {
    this.#line.send({ kind: 'signal', id: this.#id, signal })
  }

  /** Resolves when its standard output has `text` in it; rejects when it ends before. */
  async untilStdout(text: string): Promise<void> {
    while (!this.soFar('stdout').includes(text)) {
      const { promise, resolve } = Promise.withResolvers<'more'>()
      this.#waiting.add(() => resolve('more'))
      const what = await Promise.race([promise, this.ended])
      if (what === 'more') continue
      if (what.stdout.includes(text)) return
      throw new Error(`Cannot wait for "${text}": the process ended\n${what.stdout}${what.stderr}`)
    }
  }

  #hear(answer: Answer, argv: readonly string[]): void {
    switch (answer.kind) {
      case 'started':
        return this.#started.resolve(answer.processId)
      case 'output':
        return this.#keep(answer.stream, Buffer.from(answer.data, 'base64'))
      case 'ended': {
        const stdoutBytes = Buffer.concat(this.#chunks.stdout)
        const { exitCode, signal } = answer
        this.#line.forget(this.#id)
        const [stdout, stderr] = [stdoutBytes.toString(), this.soFar('stderr')]
        return this.#end.resolve({ exitCode, signal, stdout, stderr, stdoutBytes })
      }
      case 'failed':
        return this.#fail(new Error(`Cannot run "${argv.join(' ')}": ${answer.message}`))
      default:
        return undefined
    }
  }

  #keep(stream: OutputStream, bytes: Buffer): void {
    this.#outputBytes += bytes.byteLength
    if (this.#outputBytes > OUTPUT_BYTES_MAX)
      return this.#fail(new Error(`Cannot take the output of a process: over ${OUTPUT_BYTES_MAX} bytes`))
    this.#chunks[stream].push(bytes)
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
  }

  #fail(error: Error): void {
    this.#line.forget(this.#id)
    this.#started.reject(error)
    this.#end.reject(error)
  }
}
