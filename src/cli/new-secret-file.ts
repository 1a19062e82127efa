import { open } from 'node:fs/promises'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'

/** Writes one line to a new file that only its owner may read. Throws USAGE_WRONG. */
export async function writeNewSecretFile(
  path: string,
  secret: { readonly what: string; readonly line: string },
): Promise<void> {
  try {
    await using file = await open(path, 'wx', 0o600)
    await file.writeFile(`${secret.line}\n`)
    await file.sync()
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    const message = `Cannot write ${secret.what} to "${path}": ${reason}; required is the name of a file that does not exist yet`
    throw new BackupError(ErrorCode.UsageWrong, message, { cause, data: { path } })
  }
}
