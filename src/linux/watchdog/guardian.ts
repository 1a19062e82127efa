import { type ProgramEnd, type ProgramToRun, type RunningProgram, startProgram } from '../run-program.ts'
import { FrozenMounts } from './frozen-mounts.ts'
import type { ThawEnd } from './messages.ts'
import { SuspendedDevices } from './suspended-devices.ts'

/** Programs that run in the end say how it came to that in this variable. */
export type InTheEnd = { readonly programs: readonly ProgramToRun[]; readonly resultVariable: string }

type Guard = { readonly program: ProgramToRun; readonly isUrgent: boolean }

/**
 * Does what must be undone, and knows what that is at every moment: it runs the programs and freezes itself, so that
 * there is nothing in between that only somebody else knows of.
 */
export class Guardian {
  readonly #onExpired: () => void
  #inTheEnd: InTheEnd = { programs: [], resultVariable: '' }
  #isNeeded = false
  #finished: Promise<readonly ProgramEnd[]> | null = null
  #running: RunningProgram | null = null
  readonly #started: RunningProgram[] = []
  readonly #mounts = new FrozenMounts()
  /** What icecore suspends itself. */
  readonly suspended = new SuspendedDevices()
  #startedAt: number | null = null
  #thawed: Promise<ThawEnd> | null = null
  #deadline: NodeJS.Timeout | undefined
  #isClosed = false
  readonly #guards = new Map<number, Guard>()

  constructor(onExpired: () => void) {
    this.#onExpired = onExpired
  }

  /** What will be run in the end, once something was run, and frozen. Throws NotFrozen. */
  async begin(inTheEnd: InTheEnd, mountPoints: readonly string[]): Promise<void> {
    this.#inTheEnd = inTheEnd
    await this.#mounts.open(mountPoints)
  }

  /** Runs a program; from here on those in the end are needed, whatever becomes of it. */
  async run(program: ProgramToRun): Promise<ProgramEnd> {
    if (this.#isClosed) throw new Error('the run has ended')
    this.#isNeeded = true
    const running = startProgram(program)
    this.#running = running
    this.#started.push(running)
    const end = await running.end
    this.#running = null
    return end
  }

  stop(reason: string): void {
    this.#running?.stop(reason)
  }

  /** Throws NotFrozen, with everything thawed. Where there is nothing to freeze, only the deadline begins. */
  async freeze(deadlineMs: number): Promise<void> {
    if (this.#isClosed) throw new Error('the run has ended')
    this.#deadline = setTimeout(() => this.#expire(deadlineMs), deadlineMs)
    try {
      await this.#mounts.freeze(() => {
        this.#startedAt = performance.now()
      })
    } catch (error) {
      clearTimeout(this.#deadline)
      this.#startedAt = null
      throw error
    }
  }

  /** Ends the window; the second time it gives what the first one found. */
  async thaw(): Promise<ThawEnd> {
    this.#thawed ??= this.#thaw([])
    return await this.#thawed
  }

  async #thaw(problems: readonly string[]): Promise<ThawEnd> {
    clearTimeout(this.#deadline)
    const found = await this.#mounts.thaw()
    const startedAt = this.#startedAt
    const windowMs = startedAt === null ? 0 : Math.ceil(performance.now() - startedAt)
    return { windowMs, problems: [...problems, ...found] }
  }

  #expire(deadlineMs: number): void {
    this.#thawed ??= this.#thaw([`the window lasted longer than ${deadlineMs / 1000} s`])
    void this.#undoExpired(this.#thawed)
  }

  /** Production first, then whoever asked for the freeze, which may be stuck itself. */
  async #undoExpired(thawed: Promise<unknown>): Promise<void> {
    await thawed
    this.#onExpired()
    await this.#runGuards((guard) => guard.isUrgent)
    await this.finish('expired')
  }

  /** Runs the programs of the end, once, all of them, the last first; then ends what those before left running. */
  async finish(result: string): Promise<readonly ProgramEnd[]> {
    this.#finished ??= this.#finish(result)
    return await this.#finished
  }

  async #finish(result: string): Promise<readonly ProgramEnd[]> {
    if (!this.#isNeeded) return []
    const { programs, resultVariable } = this.#inTheEnd
    const ends: ProgramEnd[] = []
    for (const program of programs) {
      const environment = { ...program.environment, [resultVariable]: result }
      const running = startProgram({ ...program, environment })
      ends.push(await running.end)
    }
    await Promise.all(this.#started.map((running) => running.endLeftovers()))
    return ends
  }

  guard(guardId: number, guard: Guard): void {
    this.#guards.set(guardId, guard)
  }

  release(guardId: number): void {
    this.#guards.delete(guardId)
  }

  /** Icecore has ended in order: what it keeps is to stay. */
  releaseAll(): void {
    this.#guards.clear()
  }

  /** Resolves when no freeze hangs any more. Until then this process must stay: nobody else would thaw. */
  async settle(): Promise<void> {
    await this.#mounts.settle()
  }

  /** Undoes everything that is not undone, and gives what it did, as sentences. */
  async undoAll(result: string): Promise<readonly string[]> {
    this.#isClosed = true
    this.#running?.stop('icecore has ended')
    const resumed = await this.suspended.resume()
    const wasOpen = this.#startedAt !== null && this.#thawed === null
    const { windowMs, problems } = await this.thaw()
    await this.#running?.end
    const done = wasOpen ? [`Thawed after ${windowMs} ms`] : []
    const urgent = await this.#runGuards((guard) => guard.isUrgent)
    const wasFinished = this.#finished !== null
    const ends = await this.finish(result)
    const programs = wasFinished ? [] : ends.map((end, at) => sentence(this.#inTheEnd.programs[at], end))
    const later = await this.#runGuards(() => true)
    return [...resumed, ...done, ...problems, ...urgent, ...programs, ...later]
  }

  async #runGuards(isWanted: (guard: Guard) => boolean): Promise<string[]> {
    const sentences: string[] = []
    for (const [guardId, guard] of [...this.#guards].toReversed().filter(([, one]) => isWanted(one))) {
      this.#guards.delete(guardId)
      sentences.push(sentence(guard.program, await startProgram(guard.program).end))
    }
    return sentences
  }
}

/** The program and what became of it, without its arguments, which may hold what nobody else should read. */
function sentence(program: ProgramToRun | undefined, end: ProgramEnd): string {
  const how =
    end.failure ?? (end.exitCode === null ? `it was ended by ${end.signal}` : `exit code ${end.exitCode}`)
  return `Ran "${program?.command[0] ?? ''}" in ${end.durationMs} ms: ${how}`
}
