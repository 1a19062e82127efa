import { Code, ConnectError } from '@connectrpc/connect'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import { errorCodeFrom } from './error-code.ts'
import { ErrorDetailSchema } from './gen/icecore/v1/agent_pb.ts'
import { SENTENCE_LENGTH_MAX } from './wire-limits.ts'
import { sentenceFrom } from './wire-values.ts'

/** What a caller hears of a failed call: the agent's own error where it came, else what became of the connection. */
export function errorFromWire(error: unknown, agent: string): Error {
  if (error instanceof BackupError) return error
  if (error instanceof SyntaxError) return protocolWrong(agent, error.message, error)
  if (!(error instanceof ConnectError)) return connectionFailed(agent, textOf(error), error)
  if (error.cause instanceof BackupError) return error.cause
  const detail = error.findDetails(ErrorDetailSchema)[0]
  if (detail !== undefined) return toldError(detail, agent)
  const text = sentenceFrom(error.rawMessage, SENTENCE_LENGTH_MAX)
  switch (error.code) {
    case Code.Unimplemented:
      return refused(agent, `it does not know this request: ${text}`, error)
    case Code.InvalidArgument:
    case Code.ResourceExhausted:
      return error.isWireError ? refused(agent, text, error) : protocolWrong(agent, text, error)
    case Code.Unavailable:
    case Code.DeadlineExceeded:
    case Code.Canceled:
    case Code.Aborted:
      return connectionFailed(agent, text, error)
    default:
      return error.isWireError ? refused(agent, text, error) : connectionFailed(agent, text, error)
  }
}

function toldError(detail: { readonly code: string; readonly message: string }, agent: string): BackupError {
  const message = sentenceFrom(detail.message, SENTENCE_LENGTH_MAX)
  const code = errorCodeFrom(detail.code)
  if (code !== null) return new BackupError(code, message, { data: { agent } })
  return new BackupError(ErrorCode.AgentRefused, message, {
    data: { agent, code: sentenceFrom(detail.code, 100) },
  })
}

function refused(agent: string, text: string, cause: unknown): BackupError {
  return new BackupError(ErrorCode.AgentRefused, `Cannot have agent "${agent}" do it: ${text}`, {
    data: { agent },
    cause,
  })
}

export function protocolWrong(agent: string, finding: string, cause?: unknown): BackupError {
  return new BackupError(
    ErrorCode.ProtocolWrong,
    `Cannot go on with agent "${agent}": ${finding}, which the protocol does not allow`,
    { data: { agent }, cause },
  )
}

export function connectionFailed(agent: string, finding: string, cause?: unknown): BackupError {
  return new BackupError(ErrorCode.ConnectionFailed, `Cannot reach agent "${agent}": ${finding}`, {
    data: { agent },
    cause,
  })
}

/** The connection lives, and nothing comes: to ask again would be to wait again. */
export function silent(agent: string, silenceMs: number): BackupError {
  const message = `Cannot go on with agent "${agent}": it was silent for ${silenceMs} ms`
  return new BackupError(ErrorCode.ConnectionFailed, message, { data: { agent, isSilent: true } })
}

/** What a socket, or TLS, failed with, in words. */
function textOf(cause: unknown): string {
  return sentenceFrom(cause instanceof Error ? cause.message : String(cause), SENTENCE_LENGTH_MAX)
}
