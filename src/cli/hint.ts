import { type BackupError, ErrorCode } from '../domain/backup-error.ts'

const HINTS: Partial<Readonly<Record<ErrorCode, string>>> = {
  [ErrorCode.ChangeListWrong]:
    'A change list is a JSON array of {"offset", "length", "exists"}; leave out --changes to compare every digest',
  [ErrorCode.SourceMissing]: 'Give the path of a block device or of an image file',
  [ErrorCode.SourceUnsuitable]: 'Give a block device, such as /dev/vg0/data, or an image file',
  [ErrorCode.SourceUnreadable]: 'Run it as a user who may read the source; block devices often need root',
  [ErrorCode.SourceReadFailed]:
    'The kernel log (dmesg) says more; what was stored so far is kept and used by the next run',
  [ErrorCode.SourceShrank]: 'Back up a frozen image, such as a snapshot, and run it again',
  [ErrorCode.SourceChanged]: 'Back up a frozen image, such as a snapshot',
  [ErrorCode.SourceInUse]: 'Back up a snapshot of it, or give --allow-mounted to back it up as it changes',
  [ErrorCode.HookFailed]:
    'See what it wrote, run it by hand, or let the run go on without it with `onFailure: degrade`',
  [ErrorCode.ChangesUnknown]:
    'Serve the bitmap with the export, or leave out --bitmap: everything is then compared',
  [ErrorCode.ChallengeFailed]:
    'Run `icecore doctor --agent HOST`; `--transport lan` has the agent read and send instead',
  [ErrorCode.ConnectionFailed]: 'See that the server runs, that the address is right, and what its log says',
  [ErrorCode.ProtocolWrong]: 'See what it is that listens there; another version of the server may do better',
  [ErrorCode.AuthorityUnusable]:
    'Name its folder with --authority; `icecore agent invite HOST` makes one where there is none',
  [ErrorCode.AgentNotEnrolled]:
    'Run `icecore agent invite HOST` on the mover, and on this host what it then says',
  [ErrorCode.EnrolmentRefused]: 'Run `icecore agent invite HOST` on the mover again, for a new token',
  [ErrorCode.CertificateRefused]:
    'See that the clocks of both hosts are right, and that the mover uses the authority that the agent enrolled at',
  [ErrorCode.CertificateMissing]: 'Run `icecore agent list` to see which there are',
  [ErrorCode.TargetExists]: 'Give --overwrite to replace it, or --differing to write only what differs',
  [ErrorCode.TargetMissing]: 'Make the folder or the device first',
  [ErrorCode.TargetInUse]: 'Unmount it, and stop what has it open',
  [ErrorCode.TargetNotConfirmed]:
    'Give --yes, and for disks of another host --san-disk, when you are sure that everything on it may be lost',
  [ErrorCode.TargetWriteFailed]: 'The kernel log (dmesg) says more; the target is not complete',
  [ErrorCode.TargetChanged]: 'See what changes the volume group meanwhile, or give --transport lan',
  [ErrorCode.TargetMismatch]:
    'See that both hosts have the same disk, and that nothing else writes to it; --transport lan writes through its host',
  [ErrorCode.PointMissing]: 'Run `icecore points` to see which there are',
  [ErrorCode.PointAmbiguous]: 'Give more digits of the id; `icecore points` shows them',
  [ErrorCode.ObjectMissing]: 'Run `icecore show POINT` to see the objects of a point',
  [ErrorCode.FileMissing]: 'Check the path; of a backup `icecore ls POINT PATH` shows what there is',
  [ErrorCode.FileUnsuitable]: 'Run `icecore extract` to take out folders, links and special files',
  [ErrorCode.FileDamaged]:
    'Another point may have it whole; `icecore extract` takes out what is sound around it',
  [ErrorCode.FileSystemUnmapped]: 'Take out the whole volume with `icecore restore`',
  [ErrorCode.RepositoryMissing]: 'Make one with `icecore init REPO`, or see whether it is mounted',
  [ErrorCode.RepositoryExists]: 'Use it as it is, or give another folder',
  [ErrorCode.RepositoryNewer]: 'Use the version of icecore that wrote it, or a newer one',
  [ErrorCode.RepositoryDamaged]:
    'Run `icecore check --data` to see what is damaged and which points it hurts',
  [ErrorCode.PasswordWrong]: 'Another key slot, or the recovery key, may open it',
  [ErrorCode.EncryptionMissing]:
    'Leave the password away if it is meant to be so; if it once was encrypted, somebody has replaced its configuration',
  [ErrorCode.PasswordMissing]:
    'Give --password-file FILE or --password-command COMMAND, or set ICECORE_PASSWORD_FILE',
  [ErrorCode.KeySlotMissing]: 'Run `icecore key list` to see which there are',
  [ErrorCode.KeySlotNeeded]:
    'Add another one first with `icecore key add`, or give the password of one that stays',
  [ErrorCode.ConfigChanged]: 'Run `icecore key list` to see what it is now, and run this again',
  [ErrorCode.StoreFull]: 'Make room and run it again: what was stored so far is kept and used',
  [ErrorCode.StoreReadOnly]: 'Mount it writable, or run it as a user who may write to it',
  [ErrorCode.ChunkMissing]: 'Run `icecore check --data` to see which points it hurts',
  [ErrorCode.ChunkDamaged]: 'Run `icecore check --data` to see which points it hurts',
}

/** Of files that were chosen with --path. */
const PATH_HINTS: Partial<Readonly<Record<ErrorCode, string>>> = {
  [ErrorCode.SourceMissing]:
    'Give a path from the root of its file system; `icecore map SOURCE` shows which volumes there are',
  [ErrorCode.SourceUnreadable]: 'Leave this path out, or choose what is sound below it',
  [ErrorCode.SourceUnsuitable]: 'Leave out --path to back up all of it',
  [ErrorCode.SourceInUse]: 'Back up a snapshot of it',
  [ErrorCode.VolumeMissing]: 'Give VOLUME:/PATH; `icecore map SOURCE` shows which volumes there are',
}

/** What to do next, in one line; undefined when nothing is better than the error itself. */
export function hintFor(error: BackupError): string | undefined {
  if (typeof error.data['chosenPath'] === 'string') return PATH_HINTS[error.code]
  if (error.data['isAgentDisk'] === true)
    return 'Run `icecore doctor --agent HOST` to see which disks both hosts see'
  if (error.data['isAgentConfiguration'] === true)
    return 'Two lines are enough to begin with, such as "sources:" and "  - /dev/vg0/home"; docs/agent-service.md has all keys'
  if (error.code !== ErrorCode.UsageWrong) return HINTS[error.code]
  const { suggestion, command } = error.data
  if (typeof suggestion === 'string') return `Did you mean ${suggestion}?`
  return `Run \`${typeof command === 'string' ? command : 'icecore'} --help\` to see how it is used`
}
