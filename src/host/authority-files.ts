import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import type { Clock } from '../domain/clock.ts'
import { errnoMeaning, errnoOf } from '../domain/errno.ts'
import type { Randomness } from '../domain/randomness.ts'
import { type Authority, fromPem, makeAuthority, pem, readAuthority } from '../rpc/authority.ts'
import { DerError } from '../rpc/der-reader.ts'
import {
  makeRevocationList,
  readRevocationList,
  REVOCATION_LIST_LABEL,
  type RevocationList,
} from '../rpc/revocation-list.ts'
import { makePrivateFolder, textOfPrivateFile, syncFolder, writePrivateFile } from './private-files.ts'

/** What lies in an authority's folder, beside `agents/`. */
const AuthorityFile = {
  Key: 'authority-key.pem',
  Certificate: 'authority.pem',
  Revoked: 'revoked.pem',
} as const

/** What is done with an authority needs these. */
export type OpenAuthority = {
  readonly folder: string
  readonly authority: Authority
  readonly clock: Clock
  readonly randomness: Randomness
}

type Chance = { readonly clock: Clock; readonly randomness: Randomness }

/** The authority of a folder; null where there is none. Throws AUTHORITY_UNUSABLE. */
export async function readAuthorityFiles(folder: string): Promise<Authority | null> {
  const key = await contentOf(folder, AuthorityFile.Key)
  const certificate = await contentOf(folder, AuthorityFile.Certificate)
  if (key === undefined && certificate === undefined) return null
  if (key === undefined || certificate === undefined) {
    const missing = key === undefined ? AuthorityFile.Key : AuthorityFile.Certificate
    throw unusable(folder, `"${missing}" is missing; required is a copy of it`)
  }
  return readAuthority({ key, certificate }, folder)
}

/** Makes an authority whole or not at all: a folder of another name that is then renamed. */
export async function makeAuthorityFiles(folder: string, parts: Chance): Promise<void> {
  const text = makeAuthority(parts)
  const authority = readAuthority(text, folder)
  const list = makeRevocationList(authority, { number: 1, revoked: [] }, parts.clock)
  const temporary = `${folder}.${process.pid}.tmp`
  try {
    await makePrivateFolder(dirname(folder))
    await rm(temporary, { recursive: true, force: true })
    await mkdir(temporary, { mode: 0o700 })
    await writePrivateFile(temporary, AuthorityFile.Key, text.key)
    await writePrivateFile(temporary, AuthorityFile.Certificate, text.certificate)
    await writePrivateFile(temporary, AuthorityFile.Revoked, pem(REVOCATION_LIST_LABEL, list))
    await rename(temporary, folder)
    await syncFolder(dirname(folder))
  } catch (cause) {
    await rm(temporary, { recursive: true, force: true })
    const isTaken = errnoOf(cause) === 'ENOTEMPTY' || errnoOf(cause) === 'EEXIST'
    throw unusable(
      folder,
      isTaken
        ? 'there is no authority in it, but something else; required is an empty folder, or none'
        : reasonOf(cause),
      cause,
    )
  }
}

export type KeptList = { readonly bytes: Uint8Array; readonly list: RevocationList }

/** The newest list of revoked certificates. One that is lost is never begun anew: what it revoked would be believed again. */
export async function readKeptList(folder: string, authority: Authority): Promise<KeptList> {
  const text = await contentOf(folder, AuthorityFile.Revoked)
  const bytes = fromPem(REVOCATION_LIST_LABEL, text ?? '')
  if (bytes === null) {
    throw unusable(folder, `"${AuthorityFile.Revoked}" is missing or damaged; required is a copy of it`)
  }
  try {
    return { bytes, list: readRevocationList(bytes, authority.certificate) }
  } catch (cause) {
    if (!(cause instanceof DerError)) throw cause
    throw unusable(folder, `"${AuthorityFile.Revoked}" is damaged: ${cause.message}`, cause)
  }
}

export async function writeKeptList(folder: string, list: Uint8Array): Promise<void> {
  await writePrivateFile(folder, AuthorityFile.Revoked, pem(REVOCATION_LIST_LABEL, list))
}

export function unusable(folder: string, what: string, cause?: unknown): BackupError {
  return new BackupError(ErrorCode.AuthorityUnusable, `Cannot use the authority in "${folder}": ${what}`, {
    cause,
    data: { folder },
  })
}

async function contentOf(folder: string, name: string): Promise<string | undefined> {
  return await textOfPrivateFile(folder, { name, isSecret: name === AuthorityFile.Key }, (what, cause) =>
    unusable(folder, what, cause),
  )
}

function reasonOf(cause: unknown): string {
  return errnoMeaning(cause) ?? (cause instanceof Error ? cause.message : String(cause))
}
