import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import { isNbdUri } from '../nbd/nbd-uri.ts'
import type { BACKUP } from './commands/backup.ts'
import type { InvocationOf } from './invocation.ts'

type BackupOptions = InvocationOf<typeof BACKUP>['options']

/** Throws USAGE_WRONG for options of `backup` that contradict one another. */
export function requireFitting({
  options,
  arguments: { sources },
}: Pick<InvocationOf<typeof BACKUP>, 'options' | 'arguments'>): void {
  const finding = unfitPaths(options) ?? unfitBitmap(options, sources)
  if (finding === null) return
  throw new BackupError(ErrorCode.UsageWrong, `Cannot use ${finding}`, {
    data: { command: 'icecore backup' },
  })
}

/** Files have no list of what changed of their image: it is laid out by this program. */
function unfitPaths({ paths, changes, bitmap, whole }: BackupOptions): string | null {
  if (paths.length === 0) return null
  const unfit =
    changes !== undefined ? '--changes' : bitmap !== undefined ? '--bitmap' : whole ? '--whole' : null
  return unfit === null ? null : `${unfit} with --path: it is for whole volumes`
}

function unfitBitmap({ bitmap, changes }: BackupOptions, sources: readonly string[]): string | null {
  if (bitmap === undefined) return null
  if (changes !== undefined) return '--bitmap with --changes: either of them says what changed'
  const other = sources.find((source) => !isNbdUri(source))
  return other === undefined ? null : `--bitmap with "${other}": it is for exports of NBD servers`
}
