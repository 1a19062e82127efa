import { homedir } from 'node:os'
import { join } from 'node:path'
import { chooseHooks } from '../capture/hooks/choose-hooks.ts'
import { FREEZE_DEADLINE_DEFAULT_MS, HOOK_TIMEOUT_DEFAULT_MS, type Hooks } from '../capture/hooks/hook.ts'
import type { Quiesced } from '../capture/hooks/with-quiescence.ts'
import type { FreezeRecord } from '../domain/ledger.ts'
import type { BACKUP } from './commands/backup.ts'
import { withProgramFrom } from './hooks-configuration.ts'
import type { InvocationOf } from './invocation.ts'

type BackupInvocation = InvocationOf<typeof BACKUP>

export type QuietWindow = {
  readonly lineage: string
  /** File systems to freeze, by their mount points. */
  readonly mountPoints: readonly string[]
}

/** As `Quiesced`, where perhaps nothing had to be done. */
export type MaybeQuiesced<Frozen> = Omit<Quiesced<Frozen>, 'record'> & {
  readonly record: FreezeRecord | null
}

/** Runs the user's hooks around `freeze`, and freezes what is named; where there is neither, only `freeze`. */
export async function runWithHooks<Frozen extends AsyncDisposable>(
  invocation: BackupInvocation,
  window: QuietWindow,
  freeze: (signal: AbortSignal, letGo: () => Promise<void>) => Promise<Frozen>,
): Promise<MaybeQuiesced<Frozen>> {
  const { signal, settings, randomness, progress } = invocation
  const { lineage, mountPoints } = window
  const { sources } = invocation.arguments
  const hooks = hooksOf(invocation, { lineage, sources })
  if (hooks.beforeFreeze.length + mountPoints.length === 0) {
    return { frozen: await freeze(signal, () => Promise.resolve()), record: null, degraded: [] }
  }
  // Only who asks for hooks waits for what runs them to be loaded.
  const [{ withQuiescence }, { startWatchdog }] = await Promise.all([
    import('../capture/hooks/with-quiescence.ts'),
    import('../linux/watchdog/start-watchdog.ts'),
  ])
  const runId = randomness.bytes(8).toHex()
  await using guard = await startWatchdog({ runId, logPath: watchdogLog(process.env) })
  const notice = (message: string): void => progress({ event: 'notice', message })
  const freezeDeadlineMs = secondsToMs(invocation.options.freezeDeadline) ?? settings.freezeDeadlineMs
  return await withQuiescence(
    { guard, environment: process.env, notice, signal },
    {
      runId,
      lineage,
      sources,
      hooks,
      mountPoints,
      freezeDeadlineMs: freezeDeadlineMs ?? FREEZE_DEADLINE_DEFAULT_MS,
    },
    freeze,
  )
}

function secondsToMs(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000
}

/** Those of the configuration, unless they are switched off, then those of the command line. */
function hooksOf(
  { options, settings }: BackupInvocation,
  run: { readonly lineage: string; readonly sources: readonly string[] },
): Hooks {
  const timeoutMs = HOOK_TIMEOUT_DEFAULT_MS
  const given = {
    beforeFreeze: options.beforeFreeze.map((command) => ({
      command: withProgramFrom(process.cwd(), command),
      timeoutMs,
      onFailure: 'abort' as const,
    })),
    afterThaw: options.afterThaw.map((command) => ({
      command: withProgramFrom(process.cwd(), command),
      timeoutMs,
      onFailure: 'degrade' as const,
    })),
  }
  return chooseHooks([...(options.configuredHooks ? settings.hookSets : []), given], run)
}

/** Where the watchdog says what it undid because icecore died. */
function watchdogLog(environment: NodeJS.ProcessEnv): string {
  const { XDG_STATE_HOME = '' } = environment
  const stateHome = XDG_STATE_HOME.startsWith('/') ? XDG_STATE_HOME : join(homedir(), '.local', 'state')
  return join(stateHome, 'icecore', 'watchdog.log')
}
