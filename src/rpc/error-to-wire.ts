import { Code, ConnectError } from '@connectrpc/connect'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import { wireCodeOf } from './error-code.ts'
import { ErrorDetailSchema } from './gen/icecore/v1/agent_pb.ts'
import { SENTENCE_LENGTH_MAX } from './wire-limits.ts'

/** What a caller is told of a failure. What is no error of the world is a bug: its text stays here. */
export function errorToWire(error: unknown): ConnectError {
  if (error instanceof BackupError) return refusal(error, wireCodeOf(error.code))
  if (error instanceof ConnectError) return error
  const code = ErrorCode.AgentRefused
  const told = new BackupError(
    code,
    'Cannot do what was asked: the agent failed unexpectedly; its log says more',
  )
  return refusal(told, Code.Internal, error)
}

/** A request that cannot be meant. */
export function badRequest(method: string, cause: SyntaxError): ConnectError {
  const message = `Cannot take the request ${method}: ${cause.message}`
  return refusal(new BackupError(ErrorCode.UsageWrong, message), Code.InvalidArgument, cause)
}

/** Tells of `error` under a code of gRPC. */
export function refusal(error: BackupError, code: Code, cause: unknown = error): ConnectError {
  const message = error.message.slice(0, SENTENCE_LENGTH_MAX)
  const detail = { desc: ErrorDetailSchema, value: { code: error.code, message } }
  return new ConnectError(message, code, undefined, [detail], cause)
}
