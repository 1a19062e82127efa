/** A program, and all of its environment. */
export type GuardedProgram = {
  readonly command: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly timeoutMs: number
}

export type GuardedEnd = {
  readonly durationMs: number
  readonly exitCode: number | null
  readonly signal: string | null
  /** Why it was not started, or was ended before its time, as half a sentence. */
  readonly failure: string | null
  readonly output: string
}

/**
 * What quiescence needs of the world: somebody who runs programs and freezes file systems, and who undoes that when
 * this process dies.
 */
export type FreezeGuard = {
  /** Aborted when the deadline has passed; everything was undone then. */
  readonly expired: AbortSignal
  begin(
    inTheEnd: { readonly programs: readonly GuardedProgram[]; readonly resultVariable: string },
    mountPoints: readonly string[],
  ): Promise<void>
  run(program: GuardedProgram, signal: AbortSignal): Promise<GuardedEnd>
  freeze(deadlineMs: number): Promise<void>
  thaw(): Promise<{ readonly windowMs: number; readonly problems: readonly string[] }>
  finish(result: string): Promise<readonly GuardedEnd[]>
}
