import { type Finding, ok, wrong } from './finding.ts'

/** How far a call to an agent came: each step needs the one before. */
export type ContactStep = 'agent-name' | 'agent-port' | 'agent-tls' | 'agent-answer'

/** What came of a step, or why nothing did. */
export type StepFacts = { readonly found: string } | { readonly failure: string }

const ADVICE: Readonly<Record<ContactStep, (host: string, port: number) => string>> = {
  'agent-name': (host) => `See that "${host}" is written as the name service or /etc/hosts has it`,
  'agent-port': (host, port) =>
    `See that the agent runs on ${host} (\`icecore agent doctor\` there), listens on port ${port}, and that no firewall is between`,
  'agent-tls': (host, port) =>
    `See what it is that listens on port ${port} of ${host}: it does not speak TLS as an agent does`,
  'agent-answer': (host) =>
    `The audit log of the agent on ${host} says why; one of another authority needs \`icecore agent enroll\` again`,
}

/** One step of the way to the agent. */
export function checkStep(
  name: ContactStep,
  step: StepFacts,
  agent: { readonly host: string; readonly port: number },
): Finding {
  if ('found' in step) return ok(name, step.found)
  return wrong(name, { sentence: step.failure, advice: ADVICE[name](agent.host, agent.port), stops: 'agent' })
}
