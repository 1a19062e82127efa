import { BackupError, ErrorCode } from '../../domain/backup-error.ts'

const DAMAGE: readonly ErrorCode[] = [
  ErrorCode.ChunkDamaged,
  ErrorCode.ChunkMissing,
  ErrorCode.RepositoryDamaged,
  ErrorCode.StoreObjectMissing,
]
/** What a medium reports that has lost bytes; other numbers (no permission, no memory) say nothing of the data. */
const LOSSES: readonly unknown[] = ['EIO', 'EUCLEAN', 'EBADMSG', 'EILSEQ', 'ENODATA']

/**
 * Why bytes must be taken for damaged, as half a sentence. Throws the error again when it says nothing about the
 * bytes: a store that is away must not have its packs condemned.
 */
export function damageOf(error: unknown): string {
  if (error instanceof SyntaxError) return error.message
  if (!(error instanceof BackupError)) throw error
  if (DAMAGE.includes(error.code)) return error.message
  const { errno } = error.data
  if (error.code === ErrorCode.StoreFailed && (errno === undefined || LOSSES.includes(errno)))
    return error.message
  throw error
}
