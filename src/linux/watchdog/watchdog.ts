import type { ProgramEnd, ProgramToRun } from '../run-program.ts'
import type { InTheEnd } from './guardian.ts'
import type { ThawEnd } from './messages.ts'

/** Does everything that must be undone in a process of its own, which undoes it when this one dies. */
export type Watchdog = AsyncDisposable & {
  readonly pid: number | null
  /** False without a native library: then only programs can be run. */
  readonly canFreeze: boolean
  /** Aborted when the deadline has passed and everything was thawed. */
  readonly expired: AbortSignal
  begin(inTheEnd: InTheEnd, mountPoints: readonly string[]): Promise<void>
  /** Runs a program before the freeze; when `signal` is aborted it is ended. Never throws the signal's reason. */
  run(program: ProgramToRun, signal: AbortSignal): Promise<ProgramEnd>
  /** Throws FREEZE_FAILED, with nothing frozen. */
  freeze(deadlineMs: number): Promise<void>
  thaw(): Promise<ThawEnd>
  /** Runs what was named in the beginning, if any program was run before the freeze. */
  finish(result: string): Promise<readonly ProgramEnd[]>
  /**
   * Runs the program if icecore dies before the guard is disposed of; if it `isUrgent`, also when the deadline passes.
   * The last guard's runs first.
   */
  guard(program: ProgramToRun, options?: { readonly isUrgent?: boolean }): Promise<AsyncDisposable>
  /** To be called before device-mapper devices are suspended: it resumes them after the deadline, and when icecore dies. */
  expectSuspended(devices: readonly string[], deadlineMs: number): Promise<void>
  /** To be called when they are resumed. False when the deadline had passed before. */
  resumed(): Promise<boolean>
}
