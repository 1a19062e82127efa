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
  const finding = unfitPaths(options) ?? unfitBitmap(options, sources) ?? unfitAgent(options, sources)
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

/** What an agent does on its host, its own configuration says. */
function unfitAgent(options: BackupOptions, sources: readonly string[]): string | null {
  if (options.agent === undefined) {
    if (options.transport !== undefined)
      return '--transport without --agent: sources of this host are read here'
    return options.latencyMax === undefined
      ? null
      : '--latency-max without --agent: it is the agent that measures'
  }
  const uri = sources.find(isNbdUri)
  if (uri !== undefined) return `--agent with "${uri}": an export is read from its server`
  const relative = sources.find((source) => !source.startsWith('/'))
  if (relative !== undefined)
    return `--agent with "${relative}": required is a whole path on the agent's host`
  if (options.allowMounted) return '--allow-mounted with --agent: an agent freezes what it serves'
  const hooks = [...options.beforeFreeze, ...options.afterThaw].length > 0
  return hooks ? "hooks with --agent: those of the agent's own configuration are run on its host" : null
}

function unfitBitmap({ bitmap, changes }: BackupOptions, sources: readonly string[]): string | null {
  if (bitmap === undefined) return null
  if (changes !== undefined) return '--bitmap with --changes: either of them says what changed'
  const other = sources.find((source) => !isNbdUri(source))
  return other === undefined ? null : `--bitmap with "${other}": it is for exports of NBD servers`
}
