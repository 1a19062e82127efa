import type { X509Certificate } from 'node:crypto'
import type { AgentConnection } from '../rpc/connect-agent.ts'
import { endOf, issueCertificate } from '../rpc/authority.ts'
import { canonicalHost } from '../rpc/host-name.ts'
import { readSigningRequest } from '../rpc/signing-request.ts'
import { type OpenAuthority, readKeptList } from './authority-files.ts'
import { type AgentCertificate, readAgent, writeAgent } from './agent-register.ts'
import { lockFolder } from './private-files.ts'

/** What a new agent gets, DER. */
export type EnrolledAgent = {
  readonly serial: string
  readonly endsAtMs: number
  readonly certificate: Uint8Array
  readonly authority: Uint8Array
  readonly revoked: Uint8Array
}

/** What there is to do with certificates, at an agent that is connected to. */
export type CertifiedAgent = Pick<
  AgentConnection,
  'certificateEndsAtMs' | 'signingRequest' | 'installCertificate'
>

const AGENT_MS = 90 * 86_400_000

export async function enrolAgent(
  open: OpenAuthority,
  asked: { readonly name: string; readonly signingRequest: Uint8Array },
  signal: AbortSignal,
): Promise<EnrolledAgent> {
  await using _lock = await lockFolder(open.folder, signal)
  const kept = await readKeptList(open.folder, open.authority)
  const certificate = await issueAndRecord(open, {
    ...asked,
    reason: 'enrolment',
    broughtListNumber: kept.list.number,
  })
  return {
    serial: certificate.serialNumber,
    endsAtMs: endOf(certificate),
    certificate: certificate.raw,
    authority: open.authority.certificate.raw,
    revoked: kept.bytes,
  }
}

export async function renewAgent(
  open: OpenAuthority,
  { agent, host }: { readonly agent: CertifiedAgent; readonly host: string },
  signal: AbortSignal,
): Promise<boolean> {
  const name = canonicalHost(host)
  const certificateEndsAtMs = await agent.certificateEndsAtMs(signal)
  const kept = await readKeptList(open.folder, open.authority)
  const record = await readAgent(open.folder, name)
  const isListDue = record?.broughtListNumber !== kept.list.number
  const isDue = isRenewalDue(open, certificateEndsAtMs)
  if (!isDue && !isListDue) return false
  const certificate = isDue ? await renewed(open, { agent, name }, signal) : null
  await agent.installCertificate(
    { certificate: certificate?.raw ?? null, revoked: isListDue ? kept.bytes : null },
    signal,
  )
  if (isListDue) await recordList(open, { name, number: kept.list.number }, signal)
  return true
}

/** Not where the authority itself ends before: then another certificate would be no better. */
function isRenewalDue({ authority, clock }: OpenAuthority, endsAtMs: number): boolean {
  return endsAtMs - clock.now().getTime() < AGENT_MS / 3 && endsAtMs < authority.endsAtMs
}

async function renewed(
  open: OpenAuthority,
  { agent, name }: { readonly agent: CertifiedAgent; readonly name: string },
  signal: AbortSignal,
): Promise<X509Certificate> {
  const signingRequest = await agent.signingRequest(signal)
  await using _lock = await lockFolder(open.folder, signal)
  const record = await readAgent(open.folder, name)
  const broughtListNumber = record?.broughtListNumber ?? 0
  return await issueAndRecord(open, { name, signingRequest, reason: 'renewal', broughtListNumber })
}

async function recordList(
  open: OpenAuthority,
  { name, number }: { readonly name: string; readonly number: number },
  signal: AbortSignal,
): Promise<void> {
  await using _lock = await lockFolder(open.folder, signal)
  const record = (await readAgent(open.folder, name)) ?? { name, certificates: [] }
  await writeAgent(open.folder, { ...record, broughtListNumber: number }, open.clock.now().getTime())
}

/** Recorded before anybody gets it: what is not known cannot be revoked. */
async function issueAndRecord(
  open: OpenAuthority,
  asked: {
    readonly name: string
    readonly signingRequest: Uint8Array
    readonly reason: AgentCertificate['reason']
    readonly broughtListNumber: number
  },
): Promise<X509Certificate> {
  const publicKey = readSigningRequest(asked.signingRequest)
  const name = canonicalHost(asked.name)
  const certificate = issueCertificate(
    open.authority,
    { publicKey, name, role: 'agent', host: name, validMs: AGENT_MS },
    open,
  )
  const nowMs = open.clock.now().getTime()
  const record = await readAgent(open.folder, name)
  const issued: AgentCertificate = {
    serial: certificate.serialNumber,
    reason: asked.reason,
    issuedAtMs: nowMs,
    endsAtMs: endOf(certificate),
  }
  const certificates = [...(record?.certificates ?? []), issued]
  await writeAgent(open.folder, { name, certificates, broughtListNumber: asked.broughtListNumber }, nowMs)
  return certificate
}
