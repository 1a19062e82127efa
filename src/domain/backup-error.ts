/**
 * What can go wrong in the world, as a closed list. A code never changes its meaning; scripts rely on it.
 * The command line maps each to an exit code (docs/exit-codes.md).
 */
export const ErrorCode = {
  /** The words of the command do not fit together; nothing was done. */
  UsageWrong: 'USAGE_WRONG',
  /** A change list that cannot be what the user meant: not JSON, out of order, overlapping, beyond the end. */
  ChangeListWrong: 'CHANGE_LIST_WRONG',

  /** A program of the system that the work is done with is not installed. */
  ProgramMissing: 'PROGRAM_MISSING',

  SourceMissing: 'SOURCE_MISSING',
  /** A directory, a socket, a character device: nothing that has an image. */
  SourceUnsuitable: 'SOURCE_UNSUITABLE',
  SourceUnreadable: 'SOURCE_UNREADABLE',
  /** The operating system reported an error for a read: device, offset and length are in `data`. */
  SourceReadFailed: 'SOURCE_READ_FAILED',
  /** The source ended before the size that it had when the run began. */
  SourceShrank: 'SOURCE_SHRANK',
  /** The source was written to while it was read: the image was not frozen. */
  SourceChanged: 'SOURCE_CHANGED',
  /** Mounted for writing: its bytes are not of one moment. */
  SourceInUse: 'SOURCE_IN_USE',
  /** The image could not be frozen, or not within its deadline. */
  FreezeFailed: 'FREEZE_FAILED',
  /** A program that the user had run before the freeze or after the thaw failed, and the run was not to go on. */
  HookFailed: 'HOOK_FAILED',
  /** To freeze would endanger production: the pool or the volume group has not the room for what may change meanwhile. */
  NoRoomToFreeze: 'NO_ROOM_TO_FREEZE',
  /** The frozen image is not whole any more: its snapshot overflowed, was removed, or its pool failed. */
  ImageLost: 'IMAGE_LOST',
  /** No frozen image of that name is held on this host. */
  ImageMissing: 'IMAGE_MISSING',
  /** What is read on this host is not what the agent froze: another disk, a stale copy, or an agent that lies. */
  ChallengeFailed: 'CHALLENGE_FAILED',
  /** What changed since that base cannot be told: it is not held, or of another size or disk. */
  ChangesUnknown: 'CHANGES_UNKNOWN',

  /** A server could not be reached, refused, could not prove who it is, or went away. */
  ConnectionFailed: 'CONNECTION_FAILED',
  /** A server said what its protocol does not allow: it is broken, or not what it claims to be. */
  ProtocolWrong: 'PROTOCOL_WRONG',
  /** An agent would not or could not do what it was asked, for a reason that has no other code here. */
  AgentRefused: 'AGENT_REFUSED',
  /** Extents moved while an agent's map was received, with an interruption between: what came is no map. Ask again. */
  MapMoved: 'MAP_MOVED',

  /** The authority's folder, key, certificate or list cannot be used: missing, damaged, open to others, ended. */
  AuthorityUnusable: 'AUTHORITY_UNUSABLE',
  /** The agent of this host has no certificate yet, or what it has cannot be used. */
  AgentNotEnrolled: 'AGENT_NOT_ENROLLED',
  /** An invitation was not taken: wrong token, used, expired, or made by somebody else. */
  EnrolmentRefused: 'ENROLMENT_REFUSED',
  /** A request, a certificate or a list of revoked ones is not what it has to be. */
  CertificateRefused: 'CERTIFICATE_REFUSED',
  /** No certificate of the authority has this name or serial number. */
  CertificateMissing: 'CERTIFICATE_MISSING',

  TargetExists: 'TARGET_EXISTS',
  TargetMissing: 'TARGET_MISSING',
  TargetInUse: 'TARGET_IN_USE',
  TargetTooSmall: 'TARGET_TOO_SMALL',
  TargetNotConfirmed: 'TARGET_NOT_CONFIRMED',
  TargetUnsuitable: 'TARGET_UNSUITABLE',
  TargetWriteFailed: 'TARGET_WRITE_FAILED',
  /** Where the target lies changed while it was written, or cannot be told. */
  TargetChanged: 'TARGET_CHANGED',
  /** What is written there is not what the target's own host reads: another disk, or somebody else writes too. */
  TargetMismatch: 'TARGET_MISMATCH',

  PointMissing: 'POINT_MISSING',
  PointAmbiguous: 'POINT_AMBIGUOUS',
  ObjectMissing: 'OBJECT_MISSING',
  /** No volume in the image has this name, or several have a file system and none was named. */
  VolumeMissing: 'VOLUME_MISSING',
  /** No file of the backup has this path. */
  FileMissing: 'FILE_MISSING',
  /** The file is not of a kind that this can be done with: the content of a folder. */
  FileUnsuitable: 'FILE_UNSUITABLE',
  /** What the file system of a backed-up volume says of the file is not what its format demands. */
  FileDamaged: 'FILE_DAMAGED',
  /** There is no file system that is read: none is known, it has a feature that is not read, it is damaged beyond use. */
  FileSystemUnmapped: 'FILE_SYSTEM_UNMAPPED',

  RepositoryMissing: 'REPOSITORY_MISSING',
  RepositoryExists: 'REPOSITORY_EXISTS',
  RepositoryNewer: 'REPOSITORY_NEWER',
  RepositoryDamaged: 'REPOSITORY_DAMAGED',
  PasswordWrong: 'PASSWORD_WRONG',
  PasswordMissing: 'PASSWORD_MISSING',
  /** No key slot has this number or id. */
  KeySlotMissing: 'KEY_SLOT_MISSING',
  /** The key slot must stay, or the repository could be opened by nobody. */
  KeySlotNeeded: 'KEY_SLOT_NEEDED',
  /** Two commands changed the configuration at once; this one did not. */
  ConfigChanged: 'CONFIG_CHANGED',
  StoreFull: 'STORE_FULL',
  StoreReadOnly: 'STORE_READ_ONLY',
  /** The copy of the index on this machine; it is made again from the repository. */
  LocalIndexDamaged: 'LOCAL_INDEX_DAMAGED',
  /** A password was given for a repository that is not encrypted: perhaps it is not the one it seems to be. */
  EncryptionMissing: 'ENCRYPTION_MISSING',
  /** Any other failure of the store's I/O. */
  StoreFailed: 'STORE_FAILED',
  /** `put` found an object of that name, and the bytes were not to be replaced. */
  StoreObjectExists: 'STORE_OBJECT_EXISTS',
  StoreObjectMissing: 'STORE_OBJECT_MISSING',
  /** A chunk that the index does not know, or that is not what its id says. */
  ChunkMissing: 'CHUNK_MISSING',
  ChunkDamaged: 'CHUNK_DAMAGED',
} as const
export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode]

export type BackupErrorOptions = {
  /** What a program may want to know: offsets, names, counts. Never a secret. */
  readonly data?: Readonly<Record<string, unknown>>
  readonly cause?: unknown
}

/**
 * The world failed. The message is one sentence: what could not be done, to what, what was found and what is
 * required. Our own mistakes are assertions, a cancellation is the signal's reason; neither is a BackupError.
 */
export class BackupError extends Error {
  readonly code: ErrorCode
  readonly data: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, options: BackupErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'BackupError'
    this.code = code
    this.data = options.data ?? {}
  }
}

/** True when `error` is a BackupError with one of the codes. */
export function isBackupError(error: unknown, ...codes: readonly ErrorCode[]): error is BackupError {
  return error instanceof BackupError && (codes.length === 0 || codes.includes(error.code))
}
