import { hostname } from 'node:os'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import type { BACKUP } from './commands/backup.ts'
import { defaultLineage } from './default-lineage.ts'
import type { InvocationOf } from './invocation.ts'

/** What a point can say of its lineage. */
const LINEAGE_LENGTH_MAX = 4096

/** The lineage that a backup continues: as the user named it, else the host that owns the sources, and the sources. */
export function lineageOf({
  options,
  arguments: { sources },
}: Pick<InvocationOf<typeof BACKUP>, 'options' | 'arguments'>): string {
  if (options.name !== undefined) return options.name
  const paths = options.paths.length === 0 ? '' : `:${options.paths.map(({ text }) => text).join('+')}`
  const lineage = `${defaultLineage(sources, options.agent?.host ?? hostname())}${paths}`
  if (lineage.length <= LINEAGE_LENGTH_MAX) return lineage
  const message = `Cannot name the lineage after its sources: they have ${lineage.length} characters, required is --name`
  throw new BackupError(ErrorCode.UsageWrong, message)
}
