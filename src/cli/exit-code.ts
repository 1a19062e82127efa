import { ErrorCode } from '../domain/backup-error.ts'

/** What a script learns from the program's end. The table is docs/exit-codes.md; a number never changes its meaning. */
export const ExitCode = {
  Done: 0,
  /** A bug in icecore. */
  Bug: 1,
  /** Wrong usage; nothing was done. */
  Usage: 2,
  /** Done, but not as well as was asked for; the reasons are in the output. */
  Degraded: 3,
  /** The source or the target failed or is not what it should be; nothing was committed. */
  SourceOrTarget: 4,
  /** The repository cannot be used. */
  Repository: 5,
  /** A check found damage. */
  Damage: 6,
  /** The agent or the network failed. */
  Network: 7,
  Cancelled: 130,
} as const
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]

/** Complete: the compiler proves that no error is left out. */
const EXIT_CODES: Readonly<Record<ErrorCode, ExitCode>> = {
  [ErrorCode.UsageWrong]: ExitCode.Usage,
  [ErrorCode.ChangeListWrong]: ExitCode.Usage,
  [ErrorCode.TargetNotConfirmed]: ExitCode.Usage,
  [ErrorCode.PointMissing]: ExitCode.Usage,
  [ErrorCode.PointAmbiguous]: ExitCode.Usage,
  [ErrorCode.ObjectMissing]: ExitCode.Usage,
  [ErrorCode.VolumeMissing]: ExitCode.Usage,
  [ErrorCode.FileMissing]: ExitCode.Usage,
  [ErrorCode.FileUnsuitable]: ExitCode.Usage,
  [ErrorCode.KeySlotMissing]: ExitCode.Usage,
  [ErrorCode.CertificateMissing]: ExitCode.Usage,
  [ErrorCode.KeySlotNeeded]: ExitCode.Usage,

  [ErrorCode.ProgramMissing]: ExitCode.SourceOrTarget,
  [ErrorCode.SourceMissing]: ExitCode.SourceOrTarget,
  [ErrorCode.SourceUnsuitable]: ExitCode.SourceOrTarget,
  [ErrorCode.SourceUnreadable]: ExitCode.SourceOrTarget,
  [ErrorCode.SourceReadFailed]: ExitCode.SourceOrTarget,
  [ErrorCode.SourceShrank]: ExitCode.SourceOrTarget,
  [ErrorCode.SourceChanged]: ExitCode.SourceOrTarget,
  [ErrorCode.SourceInUse]: ExitCode.SourceOrTarget,
  [ErrorCode.FreezeFailed]: ExitCode.SourceOrTarget,
  [ErrorCode.HookFailed]: ExitCode.SourceOrTarget,
  [ErrorCode.NoRoomToFreeze]: ExitCode.SourceOrTarget,
  [ErrorCode.ImageLost]: ExitCode.SourceOrTarget,
  [ErrorCode.ImageMissing]: ExitCode.SourceOrTarget,
  [ErrorCode.ChallengeFailed]: ExitCode.SourceOrTarget,
  [ErrorCode.ChangesUnknown]: ExitCode.SourceOrTarget,
  [ErrorCode.FileDamaged]: ExitCode.SourceOrTarget,
  [ErrorCode.FileSystemUnmapped]: ExitCode.SourceOrTarget,
  [ErrorCode.TargetExists]: ExitCode.SourceOrTarget,
  [ErrorCode.TargetMissing]: ExitCode.SourceOrTarget,
  [ErrorCode.TargetInUse]: ExitCode.SourceOrTarget,
  [ErrorCode.TargetTooSmall]: ExitCode.SourceOrTarget,
  [ErrorCode.TargetUnsuitable]: ExitCode.SourceOrTarget,
  [ErrorCode.TargetWriteFailed]: ExitCode.SourceOrTarget,
  [ErrorCode.TargetChanged]: ExitCode.SourceOrTarget,
  [ErrorCode.TargetMismatch]: ExitCode.SourceOrTarget,

  [ErrorCode.ConnectionFailed]: ExitCode.Network,
  [ErrorCode.ProtocolWrong]: ExitCode.Network,
  [ErrorCode.AuthorityUnusable]: ExitCode.Network,
  [ErrorCode.AgentNotEnrolled]: ExitCode.Network,
  [ErrorCode.EnrolmentRefused]: ExitCode.Network,
  [ErrorCode.CertificateRefused]: ExitCode.Network,
  [ErrorCode.AgentRefused]: ExitCode.Network,
  [ErrorCode.MapMoved]: ExitCode.Network,

  [ErrorCode.RepositoryMissing]: ExitCode.Repository,
  [ErrorCode.RepositoryExists]: ExitCode.Repository,
  [ErrorCode.RepositoryNewer]: ExitCode.Repository,
  [ErrorCode.RepositoryDamaged]: ExitCode.Repository,
  [ErrorCode.PasswordWrong]: ExitCode.Repository,
  [ErrorCode.PasswordMissing]: ExitCode.Repository,
  [ErrorCode.ConfigChanged]: ExitCode.Repository,
  [ErrorCode.LocalIndexDamaged]: ExitCode.Repository,
  [ErrorCode.EncryptionMissing]: ExitCode.Repository,
  [ErrorCode.StoreFull]: ExitCode.Repository,
  [ErrorCode.StoreReadOnly]: ExitCode.Repository,
  [ErrorCode.StoreFailed]: ExitCode.Repository,
  [ErrorCode.StoreObjectExists]: ExitCode.Repository,
  [ErrorCode.StoreObjectMissing]: ExitCode.Repository,
  [ErrorCode.ChunkMissing]: ExitCode.Repository,
  [ErrorCode.ChunkDamaged]: ExitCode.Repository,
}

/** The exit code of an error of the world. */
export function exitCodeOf(code: ErrorCode): ExitCode {
  return EXIT_CODES[code]
}

/** What help, the manual page and docs/exit-codes.md say about each. */
export const EXIT_CODE_MEANINGS: Readonly<Record<ExitCode, string>> = {
  [ExitCode.Done]: 'done',
  [ExitCode.Bug]: 'a bug in icecore: please report',
  [ExitCode.Usage]: 'wrong usage; nothing was done',
  [ExitCode.Degraded]: 'done, but degraded: the reasons are in the output',
  [ExitCode.SourceOrTarget]:
    'the source or the target failed or is not what it should be; nothing was committed',
  [ExitCode.Repository]: 'the repository cannot be used: missing, damaged, wrong key, newer format',
  [ExitCode.Damage]: 'a check found damage',
  [ExitCode.Network]: 'the agent or the network failed',
  [ExitCode.Cancelled]: 'cancelled',
}
