import { type AgentRecord, readAgents } from './agent-register.ts'
import { type OpenAuthority, readKeptList } from './authority-files.ts'

/** One agent of an authority, with all its certificates that may still be shown to somebody. */
export type AgentState = {
  readonly name: string
  readonly enrolledAtMs: number | null
  /** Null when it has the certificate that it was enrolled with. */
  readonly renewedAtMs: number | null
  /** It has not got the newest list of revoked certificates; the next run brings it. */
  readonly isListOld: boolean
  /** Newest first. */
  readonly certificates: readonly CertificateState[]
}

export type CertificateState = {
  readonly serial: string
  readonly issuedAtMs: number
  readonly endsAtMs: number
  readonly revokedAtMs: number | null
  /** `replaced`: there is a later one, and this has neither ended nor been revoked. */
  readonly state: 'valid' | 'replaced' | 'revoked' | 'ended'
}

export async function listAgents(open: OpenAuthority): Promise<readonly AgentState[]> {
  const { list } = await readKeptList(open.folder, open.authority)
  const revokedAt = new Map(list.revoked.map(({ serial, revokedAtMs }) => [serial, revokedAtMs]))
  const nowMs = open.clock.now().getTime()
  return (await readAgents(open.folder)).map((record) => ({
    name: record.name,
    enrolledAtMs: lastOf(record, 'enrolment'),
    renewedAtMs: record.certificates.at(-1)?.reason === 'renewal' ? lastOf(record, 'renewal') : null,
    isListOld: record.broughtListNumber !== list.number,
    certificates: record.certificates.toReversed().map(({ serial, issuedAtMs, endsAtMs }, index) => {
      const revokedAtMs = revokedAt.get(serial) ?? null
      const live = index === 0 ? 'valid' : 'replaced'
      const state = revokedAtMs !== null ? 'revoked' : endsAtMs <= nowMs ? 'ended' : live
      return { serial, issuedAtMs, endsAtMs, revokedAtMs, state }
    }),
  }))
}

function lastOf(record: AgentRecord, reason: 'enrolment' | 'renewal'): number | null {
  return record.certificates.findLast((certificate) => certificate.reason === reason)?.issuedAtMs ?? null
}
