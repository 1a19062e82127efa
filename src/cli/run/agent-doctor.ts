import { hostname } from 'node:os'
import { agentStateFolder } from '../../host/agent-state-folder.ts'
import { lookAtHost } from '../../host/doctor/look-at-host.ts'
import { lookAtSources } from '../../host/doctor/look-at-sources.ts'
import type { AGENT_DOCTOR } from '../commands/agent-doctor.ts'
import { doctorReport, type Examined } from '../doctor/doctor-report.ts'
import { lookAtAgentFolder } from '../doctor/look-at-agent-folder.ts'
import type { CommandResult, InvocationOf } from '../invocation.ts'

/** Says what is not set up as it should be on the host of an agent. Changes nothing. */
export async function runAgentDoctor(invocation: InvocationOf<typeof AGENT_DOCTOR>): Promise<CommandResult> {
  const { options, settings, clock, signal, terminal } = invocation
  const folder = options.folder ?? settings.agentFolder
  const agent = await lookAtAgentFolder({ folder, stateFolder: agentStateFolder(process.env), clock }, signal)
  const examined: Examined[] = [
    { title: `The agent in ${folder}`, findings: agent.findings },
    {
      title: `This host, ${hostname()}`,
      findings: await lookAtHost({ ...invocation, needed: 'all' }, signal),
    },
    { title: 'What may be frozen', findings: await lookAtSources(agent.sources, signal) },
  ]
  return doctorReport(examined, terminal.output)
}
