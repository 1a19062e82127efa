import { open } from 'node:fs/promises'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import { formatRecoveryKey } from '../repository/recovery-key.ts'

/** Writes a recovery key to a new file that only its owner may read. Throws USAGE_WRONG. */
export async function writeRecoveryKeyFile(path: string, key: Uint8Array): Promise<void> {
  try {
    await using file = await open(path, 'wx', 0o600)
    await file.writeFile(`${formatRecoveryKey(key)}\n`)
    await file.sync()
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    const message = `Cannot write the recovery key to "${path}": ${reason}; required is the name of a file that does not exist yet`
    throw new BackupError(ErrorCode.UsageWrong, message, { cause, data: { path } })
  }
}
