import { chooseHooks } from '../capture/hooks/choose-hooks.ts'
import { FREEZE_DEADLINE_DEFAULT_MS, HOOK_TIMEOUT_DEFAULT_MS, type Hooks } from '../capture/hooks/hook.ts'
import { withProgramFrom } from '../host/hooks-configuration.ts'
import { runInWindow, type MaybeQuiesced } from '../host/run-in-window.ts'
import type { BACKUP } from './commands/backup.ts'
import type { InvocationOf } from './invocation.ts'

type BackupInvocation = InvocationOf<typeof BACKUP>

/** Runs the user's hooks around `freeze`, and freezes the file systems that are named. */
export async function runWithHooks<Frozen extends AsyncDisposable>(
  invocation: BackupInvocation,
  window: { readonly lineage: string; readonly mountPoints: readonly string[] },
  freeze: (signal: AbortSignal, letGo: () => Promise<void>) => Promise<Frozen>,
): Promise<MaybeQuiesced<Frozen>> {
  const { signal, randomness, progress } = invocation
  const { sources } = invocation.arguments
  const notice = (message: string): void => progress({ event: 'notice', message })
  const quiet = {
    ...window,
    sources,
    hooks: hooksOf(invocation, { lineage: window.lineage, sources }),
    freezeDeadlineMs: freezeDeadlineOf(invocation),
  }
  return await runInWindow({ randomness, notice, signal }, quiet, freeze)
}

/** So long what is frozen may wait: as the user says, else the configuration, else 10 s. */
export function freezeDeadlineOf({ options, settings }: BackupInvocation): number {
  return secondsToMs(options.freezeDeadline) ?? settings.freezeDeadlineMs ?? FREEZE_DEADLINE_DEFAULT_MS
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
