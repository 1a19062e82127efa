import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import { parseNbdUri, type NbdExport } from '../nbd/nbd-uri.ts'

/** What a source argument that begins like a URI names. Throws USAGE_WRONG. */
export function exportAt(uri: string): NbdExport {
  try {
    return parseNbdUri(uri)
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    throw new BackupError(ErrorCode.UsageWrong, cause.message, { cause, data: { path: uri } })
  }
}
