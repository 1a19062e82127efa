import { X509Certificate } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { BackupError, ErrorCode, isBackupError } from '../domain/backup-error.ts'
import type { Clock } from '../domain/clock.ts'
import { errnoMeaning } from '../domain/errno.ts'
import { endOf, makeKeyPair, pem, privateKeyText } from '../rpc/authority.ts'
import { enrolAt, type Enrolment, type MoverAddress } from '../rpc/enrol-at.ts'
import type { EnrolmentToken } from '../rpc/enrolment-token.ts'
import { peerOf } from '../rpc/peer.ts'
import { REVOCATION_LIST_LABEL } from '../rpc/revocation-list.ts'
import { AgentFile, readAgentTls } from './agent-folder.ts'
import { lockFolder, makePrivateFolder, writePrivateFile } from './private-files.ts'

const TRIAL_FILE = '.enrolment'

export type EnrolmentOrder = {
  readonly mover: MoverAddress
  readonly token: EnrolmentToken
  /** Gives up the certificate that is there already. */
  readonly replaces: boolean
  readonly clock: Clock
}

export type EnrolledFolder = {
  /** What the mover calls this host. */
  readonly name: string
  readonly serial: string
  readonly endsAtMs: number
}

/** Makes a key here, has it certified, and keeps both. Throws ENROLMENT_REFUSED, CONNECTION_FAILED, AGENT_NOT_ENROLLED. */
export async function enrolAgentFolder(
  folder: string,
  order: EnrolmentOrder,
  signal: AbortSignal,
): Promise<EnrolledFolder> {
  // Before a token is used up that then is of no use.
  await prepareFolder(folder)
  await using _lock = await lockFolder(folder, signal)
  if (!order.replaces) await requireNoCertificate(folder, order.clock)
  const keys = makeKeyPair()
  const enrolment = await enrolAt(order.mover, { ...order, keys }, signal)
  await keep(folder, privateKeyText(keys.key), enrolment)
  const { name, serial } = peerOf(enrolment.certificate)
  return { name, serial, endsAtMs: endOf(enrolment.certificate) }
}

async function prepareFolder(folder: string): Promise<void> {
  try {
    await makePrivateFolder(folder)
    await writePrivateFile(folder, TRIAL_FILE, '')
    await rm(join(folder, TRIAL_FILE))
  } catch (cause) {
    throw unwritable(folder, cause)
  }
}

/** An agent that works would be lost to the mover that it works for. */
async function requireNoCertificate(folder: string, clock: Clock): Promise<void> {
  const tls = await readAgentTls(folder).catch((error: unknown) => {
    if (isBackupError(error, ErrorCode.AgentNotEnrolled)) return null
    throw error
  })
  if (tls === null) return
  const certificate = new X509Certificate(tls.certificate)
  if (endOf(certificate) <= clock.now().getTime()) return
  throw new BackupError(
    ErrorCode.UsageWrong,
    `Cannot enrol this host: it is enrolled as "${peerOf(certificate).name}" already, with a certificate in "${folder}"; --replace gives that up`,
  )
}

/** The certificate comes last: what is half written is not enrolled, and says so. */
async function keep(folder: string, key: string, enrolment: Enrolment): Promise<void> {
  try {
    await writePrivateFile(folder, AgentFile.Key, key)
    await writePrivateFile(folder, AgentFile.Authority, enrolment.authority.toString())
    await writePrivateFile(folder, AgentFile.Revoked, pem(REVOCATION_LIST_LABEL, enrolment.revoked))
    await writePrivateFile(folder, AgentFile.Certificate, enrolment.certificate.toString())
  } catch (cause) {
    throw unwritable(folder, cause)
  }
}

function unwritable(folder: string, cause: unknown): BackupError {
  const reason = errnoMeaning(cause) ?? (cause instanceof Error ? cause.message : String(cause))
  const message = `Cannot write to the agent's folder "${folder}": ${reason}`
  return new BackupError(ErrorCode.AgentNotEnrolled, message, { cause, data: { folder } })
}
