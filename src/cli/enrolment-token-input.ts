import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import { readPassword } from './password.ts'
import { promptForSecret } from './secret-prompt.ts'
import type { Terminal } from './terminal.ts'
import { usageFailure } from './usage-failure.ts'

/** The token of an invitation: from a file, or typed without being shown. Throws USAGE_WRONG. */
export async function askEnrolmentToken(
  from: { readonly file: string | undefined; readonly notice: (message: string) => void },
  terminal: Terminal,
  signal: AbortSignal,
): Promise<string> {
  if (from.file !== undefined) return await tokenOfFile(from.file, from.notice, terminal)
  if (terminal.input.isTTY !== true || !terminal.messages.isTty) {
    throw usageFailure(
      'icecore agent enroll',
      'there is no terminal to ask for the token, expected --token-file FILE',
    )
  }
  return await promptForSecret('Token: ', terminal, signal)
}

async function tokenOfFile(
  path: string,
  notice: (message: string) => void,
  terminal: Terminal,
): Promise<string> {
  const source = { kind: 'file', path, origin: '--token-file' } as const
  try {
    return await readPassword({ source, purpose: 'open', notice }, terminal, new AbortController().signal)
  } catch (error) {
    if (!(error instanceof BackupError) || error.code !== ErrorCode.PasswordMissing) throw error
    const message = error.message.replace('Cannot read password', 'Cannot read the token')
    throw new BackupError(ErrorCode.UsageWrong, message, { cause: error, data: error.data })
  }
}
