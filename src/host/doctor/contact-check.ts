import { type Finding, ok, wrong } from './finding.ts'

/** How far a call to an agent came: each step needs the one before. */
export type ContactFacts = {
  readonly host: string
  readonly port: number
  readonly name: StepFacts
  readonly socket: StepFacts
  /** Who answers proves to be the agent of this host, for this authority. */
  readonly identity: StepFacts
  /** The agent answers a question. */
  readonly answer: StepFacts
}

/** What came of it, or why nothing did; null when it did not come to it. */
export type StepFacts = { readonly found: string } | { readonly failure: string } | null

/** The way to the agent, step by step, as far as it goes. */
export function checkContact(facts: ContactFacts): readonly Finding[] {
  const { host, port } = facts
  const steps = [
    {
      name: 'agent-name',
      step: facts.name,
      advice: `See that "${host}" is written as the name service or /etc/hosts has it`,
    },
    {
      name: 'agent-port',
      step: facts.socket,
      advice: `See that the agent runs on ${host} (\`icecore agent doctor\`), listens on port ${port}, and that no firewall is between`,
    },
    {
      name: 'agent-identity',
      step: facts.identity,
      advice: `Enroll ${host} by the name that you call it by: \`icecore agent invite\` here, \`icecore agent enroll\` there`,
    },
    {
      name: 'agent-answer',
      step: facts.answer,
      advice: `The log of the agent on ${host} says why; a certificate of another authority needs \`icecore agent enroll\` again`,
    },
  ] as const
  return steps.flatMap(({ name, step, advice }): Finding[] => {
    if (step === null) return []
    if ('found' in step) return [ok(name, step.found)]
    return [wrong(name, { sentence: step.failure, advice, stops: 'agent' })]
  })
}
