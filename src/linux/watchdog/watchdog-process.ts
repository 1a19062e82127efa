import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import type { ProgramEnd, ProgramToRun } from '../run-program.ts'
import { TailBuffer } from '../tail-buffer.ts'
import type { InTheEnd } from './guardian.ts'
import type { Answer, FromWatchdog, Request, ThawEnd, ToWatchdog } from './messages.ts'
import { Rescue } from './rescue.ts'
import type { Watchdog } from './watchdog.ts'

/** A freeze that hangs would keep it longer; then it stays alone. */
const END_TIMEOUT_MS = 10_000
const SAID_BYTES_MAX = 4096

/** The watchdog as seen from icecore. If it dies, icecore undoes what it can itself. */
export class WatchdogProcess implements Watchdog {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, (answer: Answer | null) => void>()
  readonly #expired = new AbortController()
  #lastNumber = 0
  #isDone = false
  #canFreeze = false
  #deadlineMs = 0
  /** What it says when it fails; it says nothing else. */
  readonly #said = new TailBuffer(SAID_BYTES_MAX)
  readonly #ready = Promise.withResolvers<void>()
  readonly #rescue = new Rescue()

  constructor(child: ChildProcess) {
    this.#child = child
    this.#ready.promise.catch(() => {}) // Whoever waits for it hears of it.
    child.on('message', (message: FromWatchdog) => this.#receive(message))
    child.on('error', (error) => this.#fail(error))
    child.on('exit', () => this.#fail(new Error('it has ended')))
    child.stderr?.on('data', (piece: Uint8Array) => this.#said.add(piece))
  }

  get pid(): number | null {
    return this.#child.pid ?? null
  }

  get canFreeze(): boolean {
    return this.#canFreeze
  }

  get expired(): AbortSignal {
    return this.#expired.signal
  }

  async ready(signal: AbortSignal): Promise<void> {
    const late = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    })
    late.catch(() => {})
    await Promise.race([this.#ready.promise, late])
  }

  async begin(inTheEnd: InTheEnd, mountPoints: readonly string[]): Promise<void> {
    await this.#rescue.prepare(inTheEnd, mountPoints)
    await this.#ask({ kind: 'begin', ...inTheEnd, mountPoints }, 'ok')
  }

  async run(program: ProgramToRun, signal: AbortSignal): Promise<ProgramEnd> {
    const stop = (): void => {
      this.#ask({ kind: 'stop', reason: 'the run was cancelled' }, 'ok').catch(() => {})
    }
    this.#rescue.areProgramsNeeded = true
    const ran = this.#ask({ kind: 'run', program }, 'ran')
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    try {
      return (await ran).end
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  async freeze(deadlineMs: number): Promise<void> {
    this.#deadlineMs = deadlineMs
    this.#rescue.mayBeFrozen = true
    try {
      await this.#ask({ kind: 'freeze', deadlineMs }, 'frozen')
    } catch (error) {
      this.#rescue.mayBeFrozen = false // It thaws what it froze before it says that it cannot.
      throw error
    }
  }

  async thaw(): Promise<ThawEnd> {
    const { end } = await this.#ask({ kind: 'thaw' }, 'thawed')
    this.#rescue.mayBeFrozen = false
    return end
  }

  async finish(result: string): Promise<readonly ProgramEnd[]> {
    const { ends } = await this.#ask({ kind: 'finish', result }, 'finished')
    this.#rescue.areProgramsNeeded = false
    return ends
  }

  async guard(
    program: ProgramToRun,
    { isUrgent = false }: { readonly isUrgent?: boolean } = {},
  ): Promise<AsyncDisposable> {
    this.#lastNumber += 1
    const guardId = this.#lastNumber
    await this.#ask({ kind: 'guard', guardId, program, isUrgent }, 'ok')
    return {
      [Symbol.asyncDispose]: async () => {
        if (!this.#hasEnded()) await this.#ask({ kind: 'release', guardId }, 'ok')
      },
    }
  }

  async expectSuspended(devices: readonly string[], deadlineMs: number): Promise<void> {
    await this.#ask({ kind: 'suspend', devices, deadlineMs }, 'ok')
  }

  async resumed(): Promise<boolean> {
    return (await this.#ask({ kind: 'resumed' }, 'resumed')).inTime
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDone = true
    await using _rescue = this.#rescue
    if (this.#hasEnded()) return
    const ended = once(this.#child, 'exit', { signal: AbortSignal.timeout(END_TIMEOUT_MS) })
    this.#child.send({ done: true } satisfies ToWatchdog)
    try {
      await ended
    } catch {
      this.#leave() // A freeze hangs; it stays to thaw it.
    }
  }

  /** Nothing that it still holds keeps icecore from ending. */
  #leave(): void {
    this.#child.unref()
    this.#child.stderr?.destroy()
    if (this.#child.connected) this.#child.disconnect()
  }

  async #ask<Kind extends Answer['kind']>(
    request: Request,
    wanted: Kind,
  ): Promise<Extract<Answer, { kind: Kind }>> {
    if (this.#hasEnded()) throw await this.#endedEarly()
    this.#lastNumber += 1
    const number = this.#lastNumber
    const { promise, resolve } = Promise.withResolvers<Answer | null>()
    this.#waiting.set(number, resolve)
    this.#child.send({ number, request } satisfies ToWatchdog, (error) => {
      if (error !== null) resolve(null)
    })
    const answer = await promise
    this.#waiting.delete(number)
    if (answer === null) throw await this.#endedEarly()
    if (isOfKind(answer, wanted)) return answer
    throw failureOf(answer)
  }

  #receive(message: FromWatchdog): void {
    switch (message.event) {
      case 'ready':
        this.#canFreeze = message.canFreeze
        this.#ready.resolve()
        break
      case 'expired':
        this.#expired.abort(
          failed(`it lasted longer than ${this.#deadlineMs / 1000} s and was ended by the watchdog`),
        )
        break
      case 'answer':
        this.#waiting.get(message.number)?.(message.answer)
        break
    }
  }

  #fail(cause: Error): void {
    this.#ready.reject(cause)
    for (const resolve of this.#waiting.values()) resolve(null)
    if (!this.#isDone) void this.#endedEarly()
  }

  /** Undoes what the watchdog would have undone, at once and not only when somebody asks. */
  async #endedEarly(): Promise<BackupError> {
    await this.#rescue.undo()
    const { exitCode, signalCode } = this.#child
    const [said = ''] = this.#said.text().trim().split('\n')
    const how = exitCode === null ? (signalCode ?? 'its connection is lost') : `exit code ${exitCode}`
    return failed(`the watchdog has ended before its time (${[how, said].join(' ').trim()})`)
  }

  #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null || !this.#child.connected
  }
}

function isOfKind<Kind extends Answer['kind']>(
  answer: Answer,
  kind: Kind,
): answer is Extract<Answer, { kind: Kind }> {
  return answer.kind === kind
}

function failureOf(answer: Answer): Error {
  if (answer.kind === 'not-frozen') {
    const { mountPoint, reason } = answer
    const message = `Cannot freeze "${mountPoint}": ${reason}`
    return new BackupError(ErrorCode.FreezeFailed, message, { data: { mountPoint } })
  }
  return answer.kind === 'failed' ? failed(answer.message) : new Error(`Unexpected answer "${answer.kind}"`)
}

function failed(reason: string): BackupError {
  return new BackupError(ErrorCode.FreezeFailed, `Cannot freeze: ${reason}`)
}
