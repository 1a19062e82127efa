import { open } from 'node:fs/promises'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import { errnoMeaning, errnoOf } from '../domain/errno.ts'
import { readProgramOutput } from '../linux/program-output.ts'
import type { PasswordSource } from './settings.ts'
import { promptForSecret } from './secret-prompt.ts'
import type { Terminal } from './terminal.ts'

/** `open`: an existing key slot; `create`: a new one, so that a typing error must be noticed. */
export type PasswordPurpose = 'open' | 'create'

export type PasswordQuestion = {
  readonly source: PasswordSource | undefined
  readonly purpose: PasswordPurpose
  /** Receives what the user should know, such as a file that everybody can read. */
  readonly notice: (message: string) => void
}

const COMMAND_TIMEOUT_MS = 30_000
// A password longer than this is a mistake: the file is not a password file.
const PASSWORD_MAX_BYTES = 64 * 1024
const READABLE_BY_OTHERS = 0o044

/** The password, never empty. Throws PASSWORD_MISSING when it cannot be had. */
export async function readPassword(
  question: PasswordQuestion,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<string> {
  const { source, purpose } = question
  if (source === undefined) return await promptForPassword(purpose, terminal, signal)
  const text = await textOf(source, question.notice, signal)
  const [password = ''] = text.split(/\r?\n/, 1)
  if (password === '') throw missing(source, 'its first line is empty')
  return password
}

async function textOf(
  source: PasswordSource,
  notice: (message: string) => void,
  signal: AbortSignal,
): Promise<string> {
  switch (source.kind) {
    case 'text':
      return source.text
    case 'file':
      return await textOfFile(source, notice)
    case 'command':
      return await textOfCommand(source, signal)
  }
}

async function textOfFile(
  source: PasswordSource & { readonly kind: 'file' },
  notice: (message: string) => void,
): Promise<string> {
  try {
    await using file = await open(source.path)
    const status = await file.stat()
    // A pipe, such as a shell's <(…), has no owner to speak of.
    if (status.isFile() && (status.mode & READABLE_BY_OTHERS) !== 0) {
      notice(`Password file "${source.path}" can be read by others: chmod 600 keeps it to yourself`)
    }
    const buffer = Buffer.alloc(PASSWORD_MAX_BYTES)
    let length = 0
    while (length < buffer.length) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length, null)
      if (bytesRead === 0) break
      length += bytesRead
    }
    const text = buffer.toString('utf8', 0, length)
    buffer.fill(0)
    return text
  } catch (cause) {
    const reason =
      errnoOf(cause) === 'ENOENT' ? 'there is no such file' : (errnoMeaning(cause) ?? String(cause))
    throw missing({ ...source, origin: `${source.origin} "${source.path}"` }, reason)
  }
}

async function textOfCommand(
  source: PasswordSource & { readonly kind: 'command' },
  signal: AbortSignal,
): Promise<string> {
  const [program = '', ...rest] = source.words
  const call = {
    program,
    arguments: rest,
    timeoutMs: COMMAND_TIMEOUT_MS,
    outputMaxBytes: PASSWORD_MAX_BYTES,
  }
  const output = await readProgramOutput(call, signal)
  if (output.ok) return output.text
  throw missing({ ...source, origin: `${source.origin} "${program}"` }, output.reason)
}

async function promptForPassword(
  purpose: PasswordPurpose,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<string> {
  if (terminal.input.isTTY !== true || !terminal.messages.isTty) {
    throw new BackupError(
      ErrorCode.PasswordMissing,
      'Cannot ask for the password: there is no terminal, and no option, variable or file names one',
    )
  }
  const ask = (label: string): Promise<string> => promptForSecret(label, terminal, signal)
  const password = await ask(purpose === 'open' ? 'Password: ' : 'New password: ')
  if (password === '') throw new BackupError(ErrorCode.PasswordMissing, 'Cannot use password: it is empty')
  if (purpose === 'create' && (await ask('The same again: ')) !== password) {
    throw new BackupError(ErrorCode.PasswordMissing, 'Cannot use password: the two are not the same')
  }
  return password
}

function missing(source: PasswordSource, reason: string): BackupError {
  return new BackupError(ErrorCode.PasswordMissing, `Cannot read password from ${source.origin}: ${reason}`, {
    data: { origin: source.origin },
  })
}
