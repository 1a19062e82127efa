import { readFile, stat } from 'node:fs/promises'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import type { NbdTls } from '../nbd/nbd-socket.ts'

/** Where certificates and key are, in PEM; null where the user named none. */
export type NbdTlsFiles = {
  readonly ca: string | null
  readonly certificate: string | null
  readonly key: string | null
}

export const NO_TLS_FILES: NbdTlsFiles = { ca: null, certificate: null, key: null }

/** No chain of certificates is longer. */
const PEM_BYTES_MAX = 1024 * 1024

/** Reads them. Throws USAGE_WRONG for files that are not what they should be, or that do not go together. */
export async function readNbdTls(files: NbdTlsFiles): Promise<NbdTls> {
  const ca = files.ca === null ? null : await readPem(files.ca)
  if (files.certificate === null && files.key === null) return { ca, certificate: null }
  if (files.certificate === null || files.key === null) {
    const message =
      'Cannot prove who this client is: a certificate and its key are needed, found one of the two'
    throw new BackupError(ErrorCode.UsageWrong, message)
  }
  return { ca, certificate: { chain: await readPem(files.certificate), key: await readPem(files.key) } }
}

async function readPem(path: string): Promise<string> {
  try {
    const stats = await stat(path)
    if (stats.isFile() && stats.size <= PEM_BYTES_MAX) {
      const text = await readFile(path, 'utf8')
      if (text.includes('-----BEGIN ')) return text
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new BackupError(ErrorCode.UsageWrong, `Cannot read TLS file "${path}": ${reason}`, { cause })
  }
  throw new BackupError(
    ErrorCode.UsageWrong,
    `Cannot use TLS file "${path}": found no PEM, required is a PEM file`,
  )
}
