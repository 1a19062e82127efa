import { hostname } from 'node:os'
import type { Clock } from '../domain/clock.ts'
import type { Randomness } from '../domain/randomness.ts'
import { issueCertificate, makeKeyPair, pem, privateKeyText } from '../rpc/authority.ts'
import { REVOCATION_LIST_LABEL } from '../rpc/revocation-list.ts'
import type { TlsMaterial } from '../rpc/tls-material.ts'
import { KeyPurpose } from '../rpc/x509-parts.ts'
import { type AgentState, listAgents } from './agent-states.ts'
import {
  makeAuthorityFiles,
  type OpenAuthority,
  readAuthorityFiles,
  readKeptList,
  unusable,
} from './authority-files.ts'
import { type CertifiedAgent, type EnrolledAgent, enrolAgent, renewAgent } from './issue-to-agents.ts'
import { lockFolder } from './private-files.ts'
import { type Revocation, revokeCertificates, type RevocationOrder } from './revoke-certificates.ts'

/** A mover's authority, in a folder of its own: it says who is an agent, and who is a mover. */
export type AuthorityFolder = {
  readonly folder: string
  readonly endsAtMs: number
  /** A sentence to show when it ends within half a year: every agent has to be enrolled anew then. */
  readonly endsSoon: string | null
  /** What agents compare with their token. */
  readonly certificate: string
  /** A key and a certificate for this run of the mover: for a day, and in memory only. */
  moverTls(): Promise<TlsMaterial>
  /** The same, to be connected to by who has a token. */
  enrolmentTls(): Promise<TlsMaterial>
  /** Signs a request of a new agent. The name is ours, never the request's. Throws CERTIFICATE_REFUSED. */
  enrol(name: string, signingRequest: Uint8Array, signal: AbortSignal): Promise<EnrolledAgent>
  /**
   * Brings a new certificate when less than a third of the present one is left, and the newest list of revoked ones when the
   * agent has not got it. `host` is the name that the agent is connected to with. True when something was brought.
   */
  renewIfDue(agent: CertifiedAgent, host: string, signal: AbortSignal): Promise<boolean>
  list(): Promise<readonly AgentState[]>
  /** Throws CERTIFICATE_MISSING. */
  revoke(order: RevocationOrder, signal: AbortSignal): Promise<Revocation>
}

type Chance = { readonly clock: Clock; readonly randomness: Randomness }

const DAY_MS = 86_400_000
const WARNED_MS = 183 * DAY_MS
const NAME_LENGTH_MAX = 64

/** The authority of a folder, made when there is none. Throws AUTHORITY_UNUSABLE. */
export async function openAuthority(folder: string, parts: Chance): Promise<AuthorityFolder> {
  {
    await using _lock = await lockFolder(folder, new AbortController().signal)
    if ((await readAuthorityFiles(folder)) === null) await makeAuthorityFiles(folder, parts)
  }
  return await openExistingAuthority(folder, parts)
}

/** The same, where one that was made just now would be believed by nobody. Throws AUTHORITY_UNUSABLE. */
export async function openExistingAuthority(folder: string, parts: Chance): Promise<AuthorityFolder> {
  const authority = await readAuthorityFiles(folder)
  if (authority === null) {
    throw unusable(folder, 'there is none yet; `icecore agent invite HOST` makes it and enrols an agent')
  }
  const endsInMs = authority.endsAtMs - parts.clock.now().getTime()
  if (endsInMs <= 0) {
    throw unusable(folder, 'it has ended; required is another folder, and every agent enrolled anew')
  }
  return authorityFolder({ folder, authority, ...parts }, endsInMs)
}

function authorityFolder(open: OpenAuthority, endsInMs: number): AuthorityFolder {
  const { folder, authority } = open
  return {
    folder,
    endsAtMs: authority.endsAtMs,
    endsSoon: endsInMs > WARNED_MS ? null : endsSoonSentence(folder, endsInMs),
    certificate: authority.certificate.toString(),
    moverTls: () => tlsOfThisRun(open, KeyPurpose.Client),
    enrolmentTls: () => tlsOfThisRun(open, KeyPurpose.Server),
    enrol: (name, signingRequest, signal) => enrolAgent(open, { name, signingRequest }, signal),
    renewIfDue: (agent, host, signal) => renewAgent(open, { agent, host }, signal),
    list: () => listAgents(open),
    revoke: (order, signal) => revokeCertificates(open, order, signal),
  }
}

async function tlsOfThisRun(open: OpenAuthority, purpose: KeyPurpose): Promise<TlsMaterial> {
  const { folder, authority } = open
  const { bytes } = await readKeptList(folder, authority)
  const { key, publicKey } = makeKeyPair()
  const certificate = issueCertificate(
    authority,
    { publicKey, name: moverName(), role: 'mover', host: null, validMs: DAY_MS, purposes: [purpose] },
    open,
  )
  return {
    key: privateKeyText(key),
    certificate: certificate.toString(),
    authority: authority.certificate.toString(),
    revoked: pem(REVOCATION_LIST_LABEL, bytes),
  }
}

/** As agents write it into their logs. */
function moverName(): string {
  const name = hostname().replaceAll(/[^A-Za-z0-9._-]/g, '-')
  return name.slice(0, NAME_LENGTH_MAX) || 'mover'
}

function endsSoonSentence(folder: string, endsInMs: number): string {
  const days = Math.floor(endsInMs / DAY_MS)
  return `The authority in "${folder}" ends in ${days} ${days === 1 ? 'day' : 'days'}: make another one in a new folder and enrol every agent anew before`
}
