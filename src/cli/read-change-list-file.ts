import { createReadStream } from 'node:fs'
import { parseChangeList, type ChangeList } from '../capture/change-list.ts'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'

/** Reads the change list in `path`, or on standard input for `-`. Throws CHANGE_LIST_WRONG. */
export async function readChangeListFile(path: string, sizeBytes: number): Promise<ChangeList> {
  const text = path === '-' ? process.stdin.setEncoding('utf8') : createReadStream(path, { encoding: 'utf8' })
  const name = path === '-' ? 'standard input' : path
  try {
    return await parseChangeList(text, { name, sizeBytes })
  } catch (cause) {
    if (cause instanceof BackupError) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new BackupError(ErrorCode.ChangeListWrong, `Cannot read change list "${name}": ${reason}`, {
      cause,
    })
  }
}
