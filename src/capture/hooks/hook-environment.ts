/** What hooks are told of the run. */
export type HookFacts = {
  readonly runId: string
  readonly lineage: string
  readonly sources: readonly string[]
}

export const RESULT_VARIABLE = 'ICECORE_FREEZE_RESULT'

/** How it came to the programs after the thaw. `died` and `expired` are what the watchdog says. */
export type FreezeResult = 'frozen' | 'failed' | 'cancelled'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The user's environment without what opens the repository, and with what the hook may want to know. Paths are
 * separated by line feeds.
 */
export function hookEnvironment(
  environment: Environment,
  facts: HookFacts,
  stage: 'before-freeze' | 'after-thaw',
): Readonly<Record<string, string>> {
  const kept = Object.entries(environment).flatMap(([name, value]) =>
    value === undefined || name.startsWith('ICECORE_PASSWORD') ? [] : [[name, value] as const],
  )
  return {
    ...Object.fromEntries(kept),
    ICECORE_STAGE: stage,
    ICECORE_RUN_ID: facts.runId,
    ICECORE_LINEAGE: facts.lineage,
    ICECORE_SOURCES: facts.sources.join('\n'),
  }
}
