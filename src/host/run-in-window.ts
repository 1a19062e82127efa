import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Hooks } from '../capture/hooks/hook.ts'
import type { Quiesced } from '../capture/hooks/with-quiescence.ts'
import type { FreezeRecord } from '../domain/ledger.ts'
import type { Randomness } from '../domain/randomness.ts'

/** What is brought to rest while sources are frozen, and what hooks are told of the run. */
export type QuietWindow = {
  readonly hooks: Hooks
  readonly lineage: string
  readonly sources: readonly string[]
  /** File systems to freeze, by their mount points. */
  readonly mountPoints: readonly string[]
  readonly freezeDeadlineMs: number
}

export type WindowParts = {
  readonly randomness: Randomness
  /** Receives what went wrong where another failure is the one to be thrown. */
  readonly notice: (message: string) => void
  readonly signal: AbortSignal
  /** Where the watchdog says what it undid because this process died. */
  readonly watchdogLog?: string
}

/** As `Quiesced`, where perhaps nothing had to be done. */
export type MaybeQuiesced<Frozen> = Omit<Quiesced<Frozen>, 'record'> & {
  readonly record: FreezeRecord | null
}

/** Runs hooks around `freeze`, and freezes the file systems that are named; where there is neither, only `freeze`. */
export async function runInWindow<Frozen extends AsyncDisposable>(
  parts: WindowParts,
  window: QuietWindow,
  freeze: (signal: AbortSignal, letGo: () => Promise<void>) => Promise<Frozen>,
): Promise<MaybeQuiesced<Frozen>> {
  const { randomness, notice, signal, watchdogLog = ownWatchdogLog(process.env) } = parts
  if (window.hooks.beforeFreeze.length + window.mountPoints.length === 0) {
    return { frozen: await freeze(signal, () => Promise.resolve()), record: null, degraded: [] }
  }
  // Only who asks for hooks waits for what runs them to be loaded.
  const [{ withQuiescence }, { startWatchdog }] = await Promise.all([
    import('../capture/hooks/with-quiescence.ts'),
    import('../linux/watchdog/start-watchdog.ts'),
  ])
  const runId = randomness.bytes(8).toHex()
  await using guard = await startWatchdog({ runId, logPath: watchdogLog })
  return await withQuiescence(
    { guard, environment: process.env, notice, signal },
    { ...window, runId },
    freeze,
  )
}

function ownWatchdogLog(environment: NodeJS.ProcessEnv): string {
  const { XDG_STATE_HOME = '' } = environment
  const stateHome = XDG_STATE_HOME.startsWith('/') ? XDG_STATE_HOME : join(homedir(), '.local', 'state')
  return join(stateHome, 'icecore', 'watchdog.log')
}
