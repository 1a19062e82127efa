import { hostname } from 'node:os'
import type { Clock } from '../domain/clock.ts'
import type { Randomness } from '../domain/randomness.ts'
import {
  type Authority,
  endOf,
  issueCertificate,
  makeKeyPair,
  pem,
  privateKeyText,
} from '../rpc/authority.ts'
import type { TlsMaterial } from '../rpc/tls-material.ts'
import {
  lockAuthority,
  makeAuthorityFiles,
  readAuthorityFiles,
  readKeptList,
  unusable,
} from './authority-files.ts'

export type AuthorityFolder = {
  readonly folder: string
  readonly endsAtMs: number
  /** A key and a certificate for this run of the mover: for a day, and in memory only. */
  moverTls(): Promise<TlsMaterial>
}

type Chance = { readonly clock: Clock; readonly randomness: Randomness }

const DAY_MS = 86_400_000
const MOVER_MS = DAY_MS
const NAME_LENGTH_MAX = 64

/** The authority of a folder, made when there is none. Throws AUTHORITY_UNUSABLE. */
export async function openAuthority(folder: string, parts: Chance): Promise<AuthorityFolder> {
  await using _lock = await lockAuthority(folder, new AbortController().signal)
  if ((await readAuthorityFiles(folder)) === null) await makeAuthorityFiles(folder, parts)
  return await openExistingAuthority(folder, parts)
}

/** The same, where an authority of its own would be believed by nobody. Throws AUTHORITY_UNUSABLE when there is none. */
export async function openExistingAuthority(folder: string, parts: Chance): Promise<AuthorityFolder> {
  const authority = await readAuthorityFiles(folder)
  if (authority === null) {
    throw unusable(
      folder,
      'there is none yet; `icecore agent invite HOST` makes it and enrols the first agent',
    )
  }
  if (authority.endsAtMs <= parts.clock.now().getTime()) {
    throw unusable(folder, 'it has ended; required is a new folder, and every agent enrolled anew')
  }
  return authorityFolder(folder, authority, parts)
}

function authorityFolder(folder: string, authority: Authority, parts: Chance): AuthorityFolder {
  return {
    folder,
    endsAtMs: endOf(authority.certificate),
    moverTls: async () => {
      const { bytes } = await readKeptList(folder, authority)
      const { key, publicKey } = makeKeyPair()
      const subject = { publicKey, name: moverName(), role: 'mover', host: null, validMs: MOVER_MS } as const
      const certificate = issueCertificate(authority, subject, parts)
      return {
        key: privateKeyText(key),
        certificate: certificate.toString(),
        authority: authority.certificate.toString(),
        revoked: pem('X509 CRL', bytes),
      }
    },
  }
}

/** As agents write it into their logs. */
function moverName(): string {
  return (
    hostname()
      .replaceAll(/[^A-Za-z0-9._-]/g, '-')
      .slice(0, NAME_LENGTH_MAX) || 'mover'
  )
}
