import type { Server } from 'node:net'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'

/** Begins to listen; `action` is how the sentence begins that says why it cannot. Throws CONNECTION_FAILED. */
export async function listenAt(
  server: Server,
  at: { readonly host: string; readonly port: number },
  action: string,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(at.port, at.host, resolve)
  try {
    await promise
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    const message = `${action} "${at.host}" port ${at.port}: ${reason}`
    throw new BackupError(ErrorCode.ConnectionFailed, message, { cause })
  }
  server.off('error', reject)
  // Of a connection, such as too many open files: the next one may do.
  server.on('error', () => {})
}
