import { Code } from '@connectrpc/connect'
import { ErrorCode } from '../domain/backup-error.ts'

/** Foreign clients know these; icecore's own code goes with each as an ErrorDetail. */
const WIRE_CODES: Partial<Readonly<Record<ErrorCode, Code>>> = {
  [ErrorCode.UsageWrong]: Code.InvalidArgument,
  [ErrorCode.ChangeListWrong]: Code.InvalidArgument,
  [ErrorCode.SourceUnsuitable]: Code.InvalidArgument,
  [ErrorCode.TargetUnsuitable]: Code.InvalidArgument,
  [ErrorCode.TargetTooSmall]: Code.InvalidArgument,
  [ErrorCode.SourceMissing]: Code.NotFound,
  [ErrorCode.ImageMissing]: Code.NotFound,
  [ErrorCode.TargetMissing]: Code.NotFound,
  [ErrorCode.ChangesUnknown]: Code.FailedPrecondition,
  [ErrorCode.ImageLost]: Code.DataLoss,
  [ErrorCode.AgentRefused]: Code.PermissionDenied,
  [ErrorCode.SourceUnreadable]: Code.PermissionDenied,
  [ErrorCode.SourceInUse]: Code.Aborted,
  [ErrorCode.TargetInUse]: Code.Aborted,
  [ErrorCode.NoRoomToFreeze]: Code.ResourceExhausted,
}

export function wireCodeOf(code: ErrorCode): Code {
  return WIRE_CODES[code] ?? Code.Internal
}

/** Null for a code that this version does not know. */
export function errorCodeFrom(text: string): ErrorCode | null {
  return Object.values(ErrorCode).find((code) => code === text) ?? null
}
