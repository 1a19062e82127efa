import type { Hook, Hooks } from './hook.ts'

/** Hooks, and what they are for: of one lineage, of one source, or, where neither is named, of every run. */
export type HookSet = {
  readonly lineage?: string
  readonly source?: string
  readonly beforeFreeze: readonly Hook[]
  readonly afterThaw: readonly Hook[]
}

/** The hooks of a run. What comes to rest last goes on first. */
export function chooseHooks(
  sets: readonly HookSet[],
  run: { readonly lineage: string; readonly sources: readonly string[] },
): Hooks {
  const chosen = sets.filter(
    ({ lineage, source }) =>
      (lineage === undefined || lineage === run.lineage) &&
      (source === undefined || run.sources.includes(source)),
  )
  return {
    beforeFreeze: chosen.flatMap((set) => set.beforeFreeze),
    afterThaw: chosen.toReversed().flatMap((set) => set.afterThaw),
  }
}
