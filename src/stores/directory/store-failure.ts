import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import { errnoMeaning, errnoOf } from '../../domain/errno.ts'

/** What is tried without changing anything: to be refused it says nothing about writing. */
const READING: ReadonlySet<string> = new Set(['read', 'look at', 'list'])

/** Turns what the file system reports into the store's errors; the sentence says what was tried and on what. */
export function storeFailure(cause: unknown, action: { verb: string; path: string }): BackupError {
  if (cause instanceof BackupError) return cause
  const errno = errnoOf(cause) ?? messageOf(cause)
  const data = { path: action.path, errno }
  const what = `Cannot ${action.verb} "${action.path}"`
  switch (errno) {
    case 'ENOENT':
      return new BackupError(ErrorCode.StoreObjectMissing, `${what}: there is no such file`, { cause, data })
    case 'EEXIST':
      return new BackupError(ErrorCode.StoreObjectExists, `${what}: it exists already`, { cause, data })
    case 'ENOSPC':
    case 'EDQUOT':
      return new BackupError(ErrorCode.StoreFull, `${what}: the file system of the repository is full`, {
        cause,
        data,
      })
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      if (READING.has(action.verb)) {
        return new BackupError(ErrorCode.StoreFailed, `${what}: it may not be read by this user (${errno})`, {
          cause,
          data,
        })
      }
      return new BackupError(
        ErrorCode.StoreReadOnly,
        `${what}: the repository may not be written here (${errno})`,
        { cause, data },
      )
    default:
      return new BackupError(ErrorCode.StoreFailed, `${what}: ${errnoMeaning(cause) ?? errno}`, {
        cause,
        data,
      })
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
