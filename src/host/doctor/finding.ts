/** `unknown` is never good: it says what could not be looked at, and why. */
export type Verdict = 'ok' | 'warning' | 'wrong' | 'unknown'

/**
 * What cannot be done as long as it is so: nothing in particular, reading the disks themselves (backups then go through
 * the agent's host), freezing or reading the source, using the repository, talking to the agent.
 */
export type Stops = 'nothing' | 'san' | 'source' | 'repository' | 'agent'

/** What one check says. docs/doctor.md has a paragraph for each name. */
export type Finding = {
  readonly name: string
  readonly verdict: Verdict
  /** What was found, in one sentence. */
  readonly sentence: string
  /** What to change; null when nothing is to be done. */
  readonly advice: string | null
  readonly stops: Stops
}

export function ok(name: string, sentence: string): Finding {
  return { name, verdict: 'ok', sentence, advice: null, stops: 'nothing' }
}

export function warning(name: string, sentence: string, advice: string): Finding {
  return { name, verdict: 'warning', sentence, advice, stops: 'nothing' }
}

export function unknown(name: string, sentence: string, advice: string): Finding {
  return { name, verdict: 'unknown', sentence, advice, stops: 'nothing' }
}

export function wrong(
  name: string,
  what: { readonly sentence: string; readonly advice: string; readonly stops: Stops },
): Finding {
  return { name, verdict: 'wrong', ...what }
}

/** The troubles of many things that were looked at alike; where there are none, one finding that says so. */
export function orWell(troubles: readonly Finding[], well: Finding): readonly Finding[] {
  return troubles.length > 0 ? troubles : [well]
}

/** `a`, `a and b`, `a, b and c`; of many the first, and how many more. */
export function listed(names: readonly string[], namesMax: number = 5): string {
  const shown = names.slice(0, namesMax)
  const last = names.length > namesMax ? `${names.length - namesMax} more` : shown.pop()
  return shown.length === 0 ? (last ?? '') : `${shown.join(', ')} and ${last}`
}
