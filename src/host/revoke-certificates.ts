import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import { makeRevocationList, type RevokedCertificate } from '../rpc/revocation-list.ts'
import { readAgents } from './agent-register.ts'
import { type OpenAuthority, readKeptList, writeKeptList } from './authority-files.ts'
import { lockFolder } from './private-files.ts'

export type RevocationOrder = {
  /** The name of an agent, for all its certificates, or one serial number. */
  readonly what: string
  /** The serial number is a mover's. Nobody keeps a list of those: agents write them into their logs. */
  readonly isMover: boolean
}

export type Revocation = {
  readonly serials: readonly string[]
  /** The name of the agent; null for a mover. */
  readonly name: string | null
  /** They were revoked before, all of them. */
  readonly isRepeated: boolean
  readonly listNumber: number
}

/** As this authority makes them. */
const SERIAL = /^[4-7][0-9A-F]{31}$/

export async function revokeCertificates(
  open: OpenAuthority,
  order: RevocationOrder,
  signal: AbortSignal,
): Promise<Revocation> {
  await using _lock = await lockFolder(open.folder, signal)
  const { list } = await readKeptList(open.folder, open.authority)
  const { serials, name } = order.isMover ? moverSerial(order.what) : await meant(open, order.what)
  const known = new Set(list.revoked.map(({ serial }) => serial))
  const nowMs = open.clock.now().getTime()
  const added: RevokedCertificate[] = serials
    .filter((serial) => !known.has(serial))
    .map((serial) => ({ serial, revokedAtMs: nowMs }))
  if (added.length === 0) return { serials, name, isRepeated: true, listNumber: list.number }
  const next = { number: list.number + 1, revoked: [...list.revoked, ...added] }
  await writeKeptList(open.folder, makeRevocationList(open.authority, next, open.clock))
  return { serials, name, isRepeated: false, listNumber: next.number }
}

type Meant = Pick<Revocation, 'serials' | 'name'>

async function meant(open: OpenAuthority, what: string): Promise<Meant> {
  const serial = what.replaceAll(':', '').toUpperCase()
  for (const { name, certificates } of await readAgents(open.folder)) {
    const all = certificates.map((certificate) => certificate.serial)
    if (name === what.toLowerCase()) return { serials: all, name }
    if (all.includes(serial)) return { serials: [serial], name }
  }
  throw missing(open.folder, what, 'no agent has this name, and none a certificate of this serial number')
}

function moverSerial(what: string): Meant {
  const serial = what.replaceAll(':', '').toUpperCase()
  if (SERIAL.test(serial)) return { serials: [serial], name: null }
  throw new BackupError(
    ErrorCode.CertificateMissing,
    `Cannot revoke ${JSON.stringify(what.slice(0, 100))}: it is no serial number of a mover; required are 32 hexadecimal digits, as an agent's log shows them`,
  )
}

function missing(folder: string, what: string, why: string): BackupError {
  return new BackupError(
    ErrorCode.CertificateMissing,
    `Cannot revoke ${JSON.stringify(what.slice(0, 100))} in the authority "${folder}": ${why}`,
    { data: { folder } },
  )
}
