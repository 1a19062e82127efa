import { X509Certificate } from 'node:crypto'
import { isBackupError } from '../../domain/backup-error.ts'
import type { Clock } from '../../domain/clock.ts'
import type { AgentStatus } from '../../rpc/agent-api.ts'
import { connectAgent } from '../../rpc/connect-agent.ts'
import { canonicalHost } from '../../rpc/host-name.ts'
import type { TlsMaterial } from '../../rpc/tls-material.ts'
import { type AgentPlace, reachPort, resolveName, seeCertificate } from './call-agent.ts'
import { checkCertificate } from './certificate-check.ts'
import { certificateFacts } from './certificate-facts.ts'
import { checkClock } from './clock-check.ts'
import { checkStep } from './contact-check.ts'
import type { Finding } from './finding.ts'
import { checkVersion } from './version-check.ts'

export type AgentExamination = {
  readonly findings: readonly Finding[]
  /** What the agent said; null when it did not. */
  readonly status: AgentStatus | null
}

type Call = AgentPlace & { readonly tls: TlsMaterial; readonly version: string; readonly clock: Clock }

/** The way to an agent step by step, as far as it goes, and what the agent says of itself. */
export async function lookAtAgent(call: Call, signal: AbortSignal): Promise<AgentExamination> {
  const place = { host: canonicalHost(call.host), port: call.port }
  const findings: Finding[] = []
  const name = await resolveName(place.host)
  findings.push(checkStep('agent-name', name, place))
  if ('failure' in name) return { findings, status: null }
  const socket = await reachPort(place, signal)
  findings.push(checkStep('agent-port', socket, place))
  if ('failure' in socket) return { findings, status: null }
  findings.push(await lookAtCertificate(call, place, signal))
  const answer = await ask(call, place, signal)
  return { findings: [...findings, ...answer.findings], status: answer.status }
}

async function lookAtCertificate(
  { tls, clock }: Call,
  place: AgentPlace,
  signal: AbortSignal,
): Promise<Finding> {
  const shown = await seeCertificate(place, tls, signal)
  if (shown.kind === 'none') return checkStep('agent-tls', shown, place)
  const authority = new X509Certificate(tls.authority)
  const { certificate, isRevoked } = shown
  return checkCertificate(certificateFacts(certificate, { authority, host: place.host, isRevoked }), {
    check: 'agent-certificate',
    subject: 'The certificate that the agent shows',
    role: 'agent',
    nowMs: clock.now().getTime(),
    renewal: `Run \`icecore agent invite ${place.host}\` here, and the \`icecore agent enroll\` that it prints there`,
  })
}

async function ask(call: Call, place: AgentPlace, signal: AbortSignal): Promise<AgentExamination> {
  const { clock, tls, version } = call
  try {
    await using agent = connectAgent({ ...place, tls })
    const sentAtMs = clock.now().getTime()
    const status = await agent.status(signal)
    const answeredAtMs = clock.now().getTime()
    const aheadMs = status.nowMs - (sentAtMs + answeredAtMs) / 2
    const found = `Agent ${status.host} answers; it holds ${status.held.length} frozen images and sees ${status.disks.length} disks`
    return {
      findings: [
        checkStep('agent-answer', { found }, place),
        checkVersion(status.version, version),
        checkClock({ aheadMs, callMs: answeredAtMs - sentAtMs }),
      ],
      status,
    }
  } catch (error) {
    if (!isBackupError(error)) throw error
    return { findings: [checkStep('agent-answer', { failure: error.message }, place)], status: null }
  }
}
