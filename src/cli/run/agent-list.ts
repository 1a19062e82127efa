import type { AgentState, CertificateState } from '../../host/agent-states.ts'
import { openExistingAuthority } from '../../host/authority-folder.ts'
import type { AGENT_LIST } from '../commands/agent-enrolment.ts'
import { ExitCode } from '../exit-code.ts'
import { dateOf, instantOf, localTimeOf } from '../instant-text.ts'
import type { CommandResult, InvocationOf } from '../invocation.ts'
import { renderTable } from '../table.ts'

const COLUMNS = [
  { title: 'AGENT' },
  { title: 'SERIAL' },
  { title: 'UNTIL' },
  { title: 'STATE' },
  { title: 'ENROLLED' },
  { title: 'RENEWED' },
] as const

/** Lists agents. Nobody is connected to. */
export async function runAgentList(invocation: InvocationOf<typeof AGENT_LIST>): Promise<CommandResult> {
  const { options, settings, progress, terminal } = invocation
  const authority = await openExistingAuthority(options.authority ?? settings.authorityFolder, invocation)
  if (authority.endsSoon !== null) progress({ event: 'notice', message: authority.endsSoon })
  const agents = await authority.list()
  const bold = (title: string): string => terminal.output.paint('bold', title)
  return {
    json: agents.map(agentJson),
    text: () =>
      agents.length === 0 ? 'No agent has enrolled' : renderTable(COLUMNS, agents.flatMap(rowsOf), bold),
    exitCode: ExitCode.Done,
  }
}

/** The newest certificate, and all others that may still be shown to somebody. */
function rowsOf(agent: AgentState): string[][] {
  const shown = agent.certificates.filter(({ state }, index) => index === 0 || state !== 'ended')
  return shown.map((certificate, index) => [
    index === 0 ? agent.name : '',
    certificate.serial,
    dateOf(certificate.endsAtMs),
    stateText(certificate),
    index === 0 ? timeText(agent.enrolledAtMs) : '',
    index === 0 ? timeText(agent.renewedAtMs) : '',
  ])
}

function stateText({ state, revokedAtMs }: CertificateState): string {
  return revokedAtMs === null ? state : `revoked ${dateOf(revokedAtMs)}`
}

function timeText(ms: number | null): string {
  return ms === null ? '-' : localTimeOf(ms)
}

function agentJson({ name, enrolledAtMs, renewedAtMs, isListOld, certificates }: AgentState): unknown {
  return {
    name,
    enrolledAt: instantOrNull(enrolledAtMs),
    renewedAt: instantOrNull(renewedAtMs),
    knowsRevoked: !isListOld,
    certificates: certificates.map(({ serial, issuedAtMs, endsAtMs, revokedAtMs, state }) => ({
      serial,
      state,
      issuedAt: instantOf(issuedAtMs),
      endsAt: instantOf(endsAtMs),
      revokedAt: instantOrNull(revokedAtMs),
    })),
  }
}

function instantOrNull(ms: number | null): string | null {
  return ms === null ? null : instantOf(ms)
}
