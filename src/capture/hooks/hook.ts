/** A program that the user has run around the freeze, such as one that brings a database to rest. */
export type Hook = {
  /** The program and its arguments: no shell reads them. */
  readonly command: readonly string[]
  readonly timeoutMs: number
  readonly onFailure: HookPolicy
}

/** When it fails, the run fails, or it goes on and says that it is degraded. */
export type HookPolicy = 'abort' | 'degrade'

export type Hooks = {
  readonly beforeFreeze: readonly Hook[]
  /** All of them are run when any of the others was started, whatever became of that and of the run. */
  readonly afterThaw: readonly Hook[]
}

export const HOOK_TIMEOUT_DEFAULT_MS = 60_000
export const FREEZE_DEADLINE_DEFAULT_MS = 10_000
