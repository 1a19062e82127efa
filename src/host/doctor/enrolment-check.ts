import type { AgentState } from '../agent-states.ts'
import { type Finding, ok, unknown, warning, wrong } from './finding.ts'

/** What the authority has written down of an agent. */
export function checkEnrolment(agents: readonly AgentState[], host: string): readonly Finding[] {
  const name = 'enrolment'
  const agent = agents.find((one) => one.name === host)
  const invite = `Run \`icecore agent invite ${host}\` here, and the \`icecore agent enroll\` that it prints there`
  if (agent === undefined) {
    const others = agents.length === 0 ? 'no agent' : agents.map((one) => one.name).join(', ')
    return [
      unknown(name, `The authority knows nothing of an agent called "${host}", but of ${others}`, invite),
    ]
  }
  const [newest] = agent.certificates
  if (newest?.state === 'revoked' || newest?.state === 'ended') {
    const sentence = `The newest certificate of "${host}" is ${newest.state === 'ended' ? 'one that has ended' : 'revoked'}`
    return [wrong(name, { sentence, advice: invite, stops: 'agent' })]
  }
  if (agent.isListOld) {
    const sentence = `"${host}" has not got the newest list of revoked certificates: what was revoked meanwhile still counts there`
    return [warning(name, sentence, `Run a backup with --agent ${host}: it brings the list`)]
  }
  return [ok(name, `"${host}" is enrolled, and has the newest list of revoked certificates`)]
}
