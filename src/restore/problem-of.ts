import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import { FormatError, UnmappedError } from '../formats/format-error.ts'
import { ProblemCode, type ExtractProblem } from './extract-report.ts'

/** What the system says of one name or one file; the next one may do. */
const OF_ONE_FILE: ReadonlySet<string> = new Set([
  'EACCES',
  'EEXIST',
  'EFBIG',
  'EINVAL',
  'EILSEQ',
  'EISDIR',
  'ELOOP',
  'EMLINK',
  'ENAMETOOLONG',
  'ENOENT',
  'ENOTDIR',
  'EOVERFLOW',
])
/** A special file that may not be made. */
const NOT_MADE: ReadonlySet<string> = new Set(['EPERM', 'ENOSYS', 'EOPNOTSUPP', 'ENOTSUP'])

/** Why one file was not taken out; null when the error is of no single file: a full target, a failing store, a bug. */
export function problemOf(error: unknown, path: Uint8Array): ExtractProblem | null {
  if (error instanceof FormatError) return { code: ProblemCode.FileDamaged, path, message: error.message }
  if (error instanceof UnmappedError) return { code: ProblemCode.FileUnmapped, path, message: error.message }
  if (error instanceof BackupError) {
    const isDamage = error.code === ErrorCode.ChunkDamaged || error.code === ErrorCode.ChunkMissing
    return isDamage ? { code: ProblemCode.ChunkDamaged, path, message: error.message } : null
  }
  const errno = error instanceof Error && 'code' in error ? error.code : undefined
  if (typeof errno !== 'string') return null
  const message = `the system reports ${errno}`
  if (errno === 'EEXIST') return { code: ProblemCode.TargetExists, path, message }
  if (OF_ONE_FILE.has(errno)) return { code: ProblemCode.TargetRefused, path, message }
  return NOT_MADE.has(errno) ? { code: ProblemCode.NotMade, path, message } : null
}
