import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import { errnoMeaning, errnoOf } from '../domain/errno.ts'

/** A target that will not do: `found` says what it is, and what is required. */
export function targetError(
  code: ErrorCode,
  path: string,
  options: { readonly found: string; readonly data?: Readonly<Record<string, unknown>> },
): BackupError {
  return new BackupError(code, `Cannot restore to "${path}": ${options.found}`, {
    data: { path, ...options.data },
  })
}

const CODES: Readonly<Record<string, ErrorCode>> = {
  ENOENT: ErrorCode.TargetMissing,
  ENOTDIR: ErrorCode.TargetMissing,
  EBUSY: ErrorCode.TargetInUse,
  ETXTBSY: ErrorCode.TargetInUse,
  EEXIST: ErrorCode.TargetExists,
  EFBIG: ErrorCode.TargetTooSmall,
  EACCES: ErrorCode.TargetUnsuitable,
  EPERM: ErrorCode.TargetUnsuitable,
  EROFS: ErrorCode.TargetUnsuitable,
  EISDIR: ErrorCode.TargetUnsuitable,
  ELOOP: ErrorCode.TargetUnsuitable,
  ENAMETOOLONG: ErrorCode.TargetUnsuitable,
}

/** Why a target cannot be opened, made or finished; what is no error of the system comes back as it is. */
export function targetOpenError(path: string, cause: unknown): unknown {
  const errno = errnoOf(cause)
  if (errno === null) return cause
  const found =
    errno === 'ENOENT' || errno === 'ENOTDIR'
      ? 'its folder does not exist, required is an existing folder'
      : errnoMeaning(cause)
  return new BackupError(
    CODES[errno] ?? ErrorCode.TargetWriteFailed,
    `Cannot restore to "${path}": ${found}`,
    {
      data: { path, errno },
      cause,
    },
  )
}
