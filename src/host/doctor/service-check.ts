import type { ServiceState } from '../../linux/doctor/service-state.ts'
import { type Finding, ok, unknown, warning } from './finding.ts'

export const AGENT_UNIT = 'icecore-agent.service'

/** Whether the agent runs, and comes back after a restart of the host. */
export function checkService(facts: ServiceState): Finding {
  const name = 'service'
  if (facts.kind === 'none') {
    return unknown(
      name,
      'This host is not run by systemd: whether the agent is started with it cannot be told',
      'See that `icecore agent run` is started with the host',
    )
  }
  if (facts.kind === 'silent') {
    return unknown(
      name,
      `systemd does not say whether the agent runs: ${facts.reason}`,
      `Run \`systemctl status ${AGENT_UNIT}\``,
    )
  }
  const { active, enabled } = facts
  if (active !== 'active') {
    const sentence = `${AGENT_UNIT} is ${enabled === 'not-found' ? 'not installed' : active}`
    const advice =
      enabled === 'not-found'
        ? 'Install docs/systemd/icecore-agent.service, as its first lines say'
        : `Run \`systemctl enable --now ${AGENT_UNIT}\`; \`journalctl -u ${AGENT_UNIT}\` says why it ended`
    return warning(name, sentence, advice)
  }
  if (enabled === 'enabled' || enabled === 'enabled-runtime')
    return ok(name, `${AGENT_UNIT} runs, and is started with the host`)
  return warning(
    name,
    `${AGENT_UNIT} runs, and is ${enabled}: after a restart of the host it does not`,
    `Run \`systemctl enable ${AGENT_UNIT}\``,
  )
}
