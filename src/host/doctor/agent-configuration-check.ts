import { type Finding, ok, warning, wrong } from './finding.ts'

/** The agent's own configuration, and how many paths of this host each pattern of a source means. */
export type AgentConfigurationFacts =
  | { readonly kind: 'unusable'; readonly path: string; readonly reason: string }
  | {
      readonly kind: 'read'
      readonly path: string
      readonly sources: readonly {
        readonly pattern: string
        readonly mayRestore: boolean
        readonly matchCount: number
      }[]
    }

export function checkAgentConfiguration(facts: AgentConfigurationFacts): readonly Finding[] {
  const name = 'agent-configuration'
  if (facts.kind === 'unusable') {
    return [
      wrong(name, {
        sentence: facts.reason,
        advice: `Write ${facts.path}; docs/agent.md says what goes into it`,
        stops: 'agent',
      }),
    ]
  }
  const { path, sources } = facts
  if (sources.length === 0) {
    const sentence = `"${path}" allows no source: the agent refuses every backup`
    return [wrong(name, { sentence, advice: 'Name what may be frozen under `sources:`', stops: 'source' })]
  }
  const idle = sources.filter(({ matchCount }) => matchCount === 0)
  if (idle.length === sources.length) {
    const sentence = `No pattern of "${path}" means anything that is on this host: ${idle.map(({ pattern }) => pattern).join(', ')}`
    return [
      wrong(name, {
        sentence,
        advice: 'Write the paths as `lvs -o lv_path` or `findmnt` show them',
        stops: 'source',
      }),
    ]
  }
  const restorable = sources.filter(({ mayRestore }) => mayRestore)
  return [
    ok(
      name,
      `"${path}" allows ${sources.length} patterns of sources${restorable.length === 0 ? ', and no restore' : ''}`,
    ),
    ...idle.map(({ pattern }) =>
      warning(
        name,
        `Pattern "${pattern}" of "${path}" means nothing that is on this host`,
        'Correct it, or take it out',
      ),
    ),
    ...restorable.map(({ pattern }) =>
      warning(
        name,
        `What "${pattern}" means may be overwritten by a restore`,
        'Set `restore: false` for it when no restore is to come',
      ),
    ),
  ]
}
