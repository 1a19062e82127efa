import { hostname } from 'node:os'
import { isBackupError } from '../../domain/backup-error.ts'
import { openExistingAuthority } from '../../host/authority-folder.ts'
import { checkAuthority } from '../../host/doctor/authority-check.ts'
import { checkEnrolment } from '../../host/doctor/enrolment-check.ts'
import { type Finding, ok } from '../../host/doctor/finding.ts'
import { lookAtAgent } from '../../host/doctor/look-at-agent.ts'
import { lookAtDisks } from '../../host/doctor/look-at-disks.ts'
import { canonicalHost } from '../../rpc/host-name.ts'
import type { TlsMaterial } from '../../rpc/tls-material.ts'
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
  const host = canonicalHost(address.host)
  const { findings, tls } = await openAuthority(parts, host)
  const title = `Agent ${agent}`
  if (tls === null) return [{ title, findings }]
  const examined = await lookAtAgent({ ...address, tls, version: VERSION, clock }, signal)
  const way = { title, findings: [...findings, ...examined.findings] }
  if (examined.status === null) return [way]
  const { disks: wanted, host: agentHost } = examined.status
  const disks =
    agentHost === hostname()
      ? [ok('disks-seen', `Agent ${agent} runs on this host: both see the same disks`)]
      : await lookAtDisks(wanted, agent, signal)
  return [way, { title: `The disks of ${agent}, as this host sees them`, findings: disks }]
}

type OpenAuthority = {
  readonly findings: readonly Finding[]
  /** For this run; null where there is no authority that could be used. */
  readonly tls: TlsMaterial | null
}

async function openAuthority({ authority: folder, ...chance }: Parts, host: string): Promise<OpenAuthority> {
  try {
    const authority = await openExistingAuthority(folder, chance)
    const { endsAtMs, endsSoon } = authority
    const tls = await authority.moverTls()
    const enrolment = checkEnrolment(await authority.list(), host)
    return { tls, findings: [checkAuthority({ kind: 'usable', folder, endsAtMs, endsSoon }), ...enrolment] }
  } catch (error) {
    if (!isBackupError(error)) throw error
    return { tls: null, findings: [checkAuthority({ kind: 'unusable', reason: error.message })] }
  }
}
