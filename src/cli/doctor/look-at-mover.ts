import { isBackupError } from '../../domain/backup-error.ts'
import { type AuthorityFolder, openExistingAuthority } from '../../host/authority-folder.ts'
import { checkAuthority } from '../../host/doctor/authority-check.ts'
import { checkEnrolment } from '../../host/doctor/enrolment-check.ts'
import type { Finding } from '../../host/doctor/finding.ts'
import { lookAtAgent } from '../../host/doctor/look-at-agent.ts'
import { lookAtDisks } from '../../host/doctor/look-at-disks.ts'
import { canonicalHost } from '../../rpc/host-name.ts'
import { type AgentAddress, agentText } from '../agent-source/agent-address.ts'
import type { Invocation } from '../invocation.ts'
import { VERSION } from '../version.ts'
import type { Examined } from './doctor-report.ts'

type Parts = Pick<Invocation, 'clock' | 'randomness' | 'signal'> & {
  readonly address: AgentAddress
  readonly authority: string
}

/** The way to an agent, and what this host sees of its disks. */
export async function lookAtMover(parts: Parts): Promise<readonly Examined[]> {
  const { address, clock, signal } = parts
  const agent = agentText(address)
  const { findings, authority } = await open(parts)
  const title = `Agent ${agent}`
  if (authority === null) return [{ title, findings }]
  const host = canonicalHost(address.host)
  const enrolment = checkEnrolment(await authority.list(), host)
  const call = { ...address, tls: await authority.moverTls(), version: VERSION, clock }
  const examined = await lookAtAgent(call, signal)
  const way = { title, findings: [...findings, ...enrolment, ...examined.findings] }
  if (examined.status === null) return [way]
  const disks = await lookAtDisks(examined.status.disks, agent, signal)
  return [way, { title: `The disks of ${agent}, as this host sees them`, findings: disks }]
}

async function open({
  authority: folder,
  ...chance
}: Parts): Promise<{ readonly findings: readonly Finding[]; readonly authority: AuthorityFolder | null }> {
  try {
    const authority = await openExistingAuthority(folder, chance)
    const { endsAtMs, endsSoon } = authority
    return { authority, findings: [checkAuthority({ kind: 'usable', folder, endsAtMs, endsSoon })] }
  } catch (error) {
    if (!isBackupError(error)) throw error
    return { authority: null, findings: [checkAuthority({ kind: 'unusable', reason: error.message })] }
  }
}
