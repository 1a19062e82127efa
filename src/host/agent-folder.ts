import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import { type Clock, systemClock } from '../domain/clock.ts'
import { acceptCertificate, acceptRevocationList, isIssuedBy } from '../rpc/accept-certificate.ts'
import { fromPem, pem } from '../rpc/authority.ts'
import { readRevocationList, REVOCATION_LIST_LABEL } from '../rpc/revocation-list.ts'
import { makeSigningRequest } from '../rpc/signing-request.ts'
import type { TlsMaterial } from '../rpc/tls-material.ts'
import { lockFolder, textOfPrivateFile, writePrivateFile } from './private-files.ts'

/**
 * Where an agent keeps who it is: `key.pem`, made here and never sent; `certificate.pem` and `authority.pem`; `revoked.pem`.
 * Its configuration lies beside them.
 */
export const AgentFile = {
  Key: 'key.pem',
  Certificate: 'certificate.pem',
  Authority: 'authority.pem',
  Revoked: 'revoked.pem',
} as const

/** What the agent shows and believes. Throws AGENT_NOT_ENROLLED for what is missing, damaged or open to others. */
export async function readAgentTls(folder: string): Promise<TlsMaterial> {
  const [key, certificate, authority, revoked] = await Promise.all([
    contentOf(folder, AgentFile.Key),
    contentOf(folder, AgentFile.Certificate),
    contentOf(folder, AgentFile.Authority),
    contentOf(folder, AgentFile.Revoked),
  ])
  if (key === undefined || certificate === undefined || authority === undefined) {
    throw notEnrolled(folder, 'this host was not enrolled')
  }
  requireFitting(folder, { key, certificate, authority })
  return { key, certificate, authority, revoked: revoked ?? null }
}

/** A PKCS #10 request of the agent's own key. */
export async function signingRequestOf(folder: string): Promise<Uint8Array> {
  const { key } = await readAgentTls(folder)
  const keys = createPrivateKey(key)
  return makeSigningRequest({ key: keys, publicKey: createPublicKey(keys) })
}

/** DER, as a mover brings it; null for what it does not bring. */
export type Issued = { readonly certificate: Uint8Array | null; readonly revoked: Uint8Array | null }

/**
 * Takes a certificate in the place of the present one, and a newer list of revoked ones; both are checked before either is
 * written. Throws CERTIFICATE_REFUSED.
 */
export async function installCertificate(
  folder: string,
  issued: Issued,
  clock: Clock = systemClock,
): Promise<TlsMaterial> {
  await using _lock = await lockFolder(folder, new AbortController().signal)
  const present = await readAgentTls(folder)
  const authority = new X509Certificate(present.authority)
  const certificate =
    issued.certificate &&
    acceptCertificate(
      issued.certificate,
      {
        key: createPrivateKey(present.key),
        certificate: new X509Certificate(present.certificate),
        authority,
      },
      clock,
    )
  const number = numberOf(present.revoked, authority)
  const revoked = issued.revoked && acceptRevocationList(issued.revoked, { authority, number }, clock)
  if (certificate !== null) await writePrivateFile(folder, AgentFile.Certificate, certificate.toString())
  if (issued.revoked !== null && revoked !== null) {
    await writePrivateFile(folder, AgentFile.Revoked, pem(REVOCATION_LIST_LABEL, issued.revoked))
  }
  return await readAgentTls(folder)
}

/** Null where there is no list; one that is damaged is replaced, since with it nobody could connect. */
function numberOf(revoked: string | null, authority: X509Certificate): number | null {
  const bytes = revoked === null ? null : fromPem(REVOCATION_LIST_LABEL, revoked)
  try {
    return bytes === null ? null : readRevocationList(bytes, authority).number
  } catch {
    return null
  }
}

async function contentOf(folder: string, name: string): Promise<string | undefined> {
  return await textOfPrivateFile(folder, { name, isSecret: name === AgentFile.Key }, (what, cause) =>
    notEnrolled(folder, what, cause),
  )
}

function requireFitting(
  folder: string,
  text: { readonly key: string; readonly certificate: string; readonly authority: string },
): void {
  let key: KeyObject
  let certificate: X509Certificate
  let authority: X509Certificate
  try {
    key = createPrivateKey(text.key)
    certificate = new X509Certificate(text.certificate)
    authority = new X509Certificate(text.authority)
  } catch (cause) {
    throw notEnrolled(folder, 'its key or one of its certificates is damaged', cause)
  }
  if (!certificate.checkPrivateKey(key)) throw notEnrolled(folder, 'its key is not that of its certificate')
  if (!isIssuedBy(certificate, authority)) {
    throw notEnrolled(folder, 'its certificate is not of its authority')
  }
}

function notEnrolled(folder: string, what: string, cause?: unknown): BackupError {
  return new BackupError(ErrorCode.AgentNotEnrolled, `Cannot use the agent's folder "${folder}": ${what}`, {
    cause,
    data: { folder },
  })
}
