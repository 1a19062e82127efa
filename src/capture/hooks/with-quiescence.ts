import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import { DegradedCode, type Degraded, type FreezeRecord, type HookRecord } from '../../domain/ledger.ts'
import type { FreezeGuard, GuardedEnd, GuardedProgram } from './freeze-guard.ts'
import { type FreezeResult, hookEnvironment, type HookFacts, RESULT_VARIABLE } from './hook-environment.ts'
import { hookRecord, lastLine } from './hook-record.ts'
import type { Hook, Hooks } from './hook.ts'

export type QuiescencePlan = HookFacts & {
  readonly hooks: Hooks
  /** File systems to freeze. One whose provider suspends its device must not be among them: the kernel refuses that. */
  readonly mountPoints: readonly string[]
  /** From the end of the hooks before the freeze until the thaw. */
  readonly freezeDeadlineMs: number
}

export type QuiescenceParts = {
  readonly guard: FreezeGuard
  /** Icecore's own, of which hooks get all but what opens the repository. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Receives what went wrong where another failure is the one to be thrown. */
  readonly notice: (message: string) => void
  readonly signal: AbortSignal
}

/** What was frozen, and how. */
export type Quiesced<Frozen> = {
  readonly frozen: Frozen
  readonly record: FreezeRecord
  readonly degraded: readonly Degraded[]
}

/**
 * Brings the sources to rest, has `freeze` make the frozen image, and lets them go on, on every way out:
 *
 *     hooks before ──▶ freeze ──▶ the image is made ──▶ thaw ──▶ hooks after
 *          └───────────────┴──────────────┴──────────────┴────▶ hooks after, then the failure
 *
 * Its signal is that of the run, or the deadline. It may call `letGo`, which thaws and runs the hooks after that, as soon
 * as the image is made, when it has more to do that nobody needs to wait for. What it made is disposed of when the window proves to have been broken.
 */
export async function withQuiescence<Frozen extends AsyncDisposable>(
  parts: QuiescenceParts,
  plan: QuiescencePlan,
  freeze: (signal: AbortSignal, letGo: () => Promise<void>) => Promise<Frozen>,
): Promise<Quiesced<Frozen>> {
  const { guard, signal } = parts
  const window = new Window(parts, plan)
  await using stack = new AsyncDisposableStack()
  let frozen: Frozen
  try {
    await window.open()
    const letGo = async (): Promise<void> => {
      await window.thaw()
      await window.close()
    }
    frozen = stack.use(await freeze(AbortSignal.any([signal, guard.expired]), letGo))
    await window.thaw() // The second time it says the same.
  } catch (error) {
    await window.closeAfterFailure()
    // What the work says when its time is over is not why.
    throw guard.expired.aborted && !signal.aborted ? guard.expired.reason : error
  }
  await window.close()
  stack.move() // Whoever asked for it disposes of it.
  return { frozen, record: window.record(), degraded: window.degraded }
}

class Window {
  readonly degraded: Degraded[] = []
  readonly #parts: QuiescenceParts
  readonly #plan: QuiescencePlan
  readonly #records: HookRecord[] = []
  #windowMs: number | null = null
  #isFinished = false

  constructor(parts: QuiescenceParts, plan: QuiescencePlan) {
    this.#parts = parts
    this.#plan = plan
  }

  record(): FreezeRecord {
    const { mountPoints } = this.#plan
    return { hooks: this.#records, mountPoints, windowMs: this.#windowMs }
  }

  async open(): Promise<void> {
    const { guard, signal } = this.#parts
    const { hooks, mountPoints, freezeDeadlineMs } = this.#plan
    signal.throwIfAborted()
    const programs = hooks.afterThaw.map((hook) => this.#program('after-thaw', hook))
    await guard.begin({ programs, resultVariable: RESULT_VARIABLE }, mountPoints)
    for (const hook of hooks.beforeFreeze) {
      signal.throwIfAborted()
      const end = await guard.run(this.#program('before-freeze', hook), signal)
      const record = this.#keep('before-freeze', hook, end)
      signal.throwIfAborted()
      this.#judge(hook, record)
    }
    signal.throwIfAborted()
    await guard.freeze(freezeDeadlineMs)
  }

  /** Throws FREEZE_FAILED when the sources did not stand still all the time. */
  async thaw(): Promise<void> {
    const { windowMs, problems } = await this.#parts.guard.thaw()
    this.#windowMs = windowMs
    if (problems.length === 0) return
    const message = `Cannot use the frozen image: ${problems.join(', ')}`
    throw new BackupError(ErrorCode.FreezeFailed, message, { data: { windowMs } })
  }

  /** Runs the hooks after the thaw. Throws HOOK_FAILED when one failed that is not to be gone without. */
  async close(): Promise<void> {
    const records = await this.#finish('frozen')
    for (const [at, hook] of this.#plan.hooks.afterThaw.entries()) {
      const record = records[at]
      if (record !== undefined) this.#judge(hook, record)
    }
  }

  /** Thaws whatever is frozen and runs the hooks after the thaw. Never throws: the failure is known already. */
  async closeAfterFailure(): Promise<void> {
    const { guard, notice, signal } = this.#parts
    try {
      for (const problem of (await guard.thaw()).problems) notice(`The freeze was broken: ${problem}`)
      const records = await this.#finish(signal.aborted ? 'cancelled' : 'failed')
      for (const record of records) if (record.failure !== null) notice(hookMessage(record))
    } catch (error) {
      notice(error instanceof Error ? error.message : String(error))
    }
  }

  /** Once; the second time there is nothing to tell. */
  async #finish(result: FreezeResult): Promise<readonly HookRecord[]> {
    if (this.#isFinished) return []
    this.#isFinished = true
    const ends = await this.#parts.guard.finish(result)
    return this.#plan.hooks.afterThaw.flatMap((hook, at) => {
      const end = ends[at]
      return end === undefined ? [] : [this.#keep('after-thaw', hook, end)]
    })
  }

  #program(stage: HookRecord['stage'], hook: Hook): GuardedProgram {
    const environment = hookEnvironment(this.#parts.environment, this.#plan, stage)
    return { command: hook.command, environment, timeoutMs: hook.timeoutMs }
  }

  #keep(stage: HookRecord['stage'], hook: Hook, end: GuardedEnd): HookRecord {
    const record = hookRecord(stage, { command: hook.command, end }, this.#parts.environment)
    this.#records.push(record)
    return record
  }

  #judge(hook: Hook, record: HookRecord): void {
    if (record.failure === null) return
    const message = hookMessage(record)
    if (hook.onFailure === 'degrade') {
      this.degraded.push({ code: DegradedCode.HookFailed, message })
      return
    }
    const { program, stage, exitCode, output } = record
    throw new BackupError(ErrorCode.HookFailed, message, { data: { program, stage, exitCode, output } })
  }
}

function hookMessage(record: HookRecord): string {
  const said = lastLine(record)
  const stage = record.stage === 'before-freeze' ? 'before the freeze' : 'after the thaw'
  const end = said === null ? '' : `, and wrote last: ${said}`
  return `Cannot run "${record.program}" ${stage}: ${record.failure}${end}`
}
