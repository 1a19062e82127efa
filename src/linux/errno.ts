import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import { errnoMeaning, errnoOf } from '../domain/errno.ts'

/** Where an I/O was tried: bytes. */
export type IoPlace = { readonly path: string; readonly offset: number; readonly length: number }

/** A failed read as SOURCE_READ_FAILED. What is no system error (a bug, a cancellation) comes back as it is. */
export function sourceReadError(cause: unknown, place: IoPlace): Error {
  return translate(cause, { code: ErrorCode.SourceReadFailed, action: 'read', place })
}

/** A failed write as TARGET_WRITE_FAILED. What is no system error (a bug, a cancellation) comes back as it is. */
export function targetWriteError(cause: unknown, place: IoPlace): Error {
  return translate(cause, { code: ErrorCode.TargetWriteFailed, action: 'write', place })
}

/** A read that met the end of the source: at `offset`, where there were `sizeBytes` when it was opened. */
export function sourceShrankError(place: {
  readonly path: string
  readonly offset: number
  readonly sizeBytes: number
}): BackupError {
  const { path, offset, sizeBytes } = place
  return new BackupError(
    ErrorCode.SourceShrank,
    `Cannot read "${path}" at offset ${offset}: the source ends there, it had ${sizeBytes} bytes when the run began`,
    { data: { path, offset, sizeBytes } },
  )
}

function translate(
  cause: unknown,
  to: { readonly code: ErrorCode; readonly action: string; readonly place: IoPlace },
): Error {
  const meaning = errnoMeaning(cause)
  if (meaning === null) return cause instanceof Error ? cause : new Error(String(cause), { cause })
  const { path, offset, length } = to.place
  return new BackupError(
    to.code,
    `Cannot ${to.action} "${path}" at offset ${offset}, length ${length}: ${meaning}`,
    { data: { path, offset, length, errno: errnoOf(cause) }, cause },
  )
}
