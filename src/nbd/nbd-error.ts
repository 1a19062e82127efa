import { BackupError, ErrorCode } from '../domain/backup-error.ts'

/** What a server writes for people is shown no longer than this. */
const TEXT_LENGTH_MAX = 300

/** The server said what the protocol does not allow: nothing else that it says can be believed. */
export function protocolWrong(uri: string, finding: string): BackupError {
  return new BackupError(
    ErrorCode.ProtocolWrong,
    `Cannot go on with NBD server "${uri}": ${finding}, which the NBD protocol does not allow`,
    { data: { uri } },
  )
}

export function connectionFailed(uri: string, finding: string, cause?: unknown): BackupError {
  return new BackupError(ErrorCode.ConnectionFailed, `Cannot use NBD server "${uri}": ${finding}`, {
    data: { uri },
    ...(cause === undefined ? {} : { cause }),
  })
}

/** What a socket, or TLS, failed with, in words. */
export function causeText(cause: unknown): string {
  return cause instanceof Error ? serverText(Buffer.from(cause.message)) : String(cause)
}

/** Text from a server, fit for a terminal: no control characters, not without end. */
export function serverText(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes.subarray(0, TEXT_LENGTH_MAX * 4))
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').slice(0, TEXT_LENGTH_MAX)
}
