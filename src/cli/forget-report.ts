import type { Removal } from '../repository/select-removal.ts'
import { formatLocalTime } from './local-time.ts'
import { shortId } from './short-id.ts'
import { renderTable } from './table.ts'
import type { TextStream } from './terminal.ts'

/** A point, and why it stays; without reasons it goes. */
export type Verdict = { readonly removal: Removal; readonly reasons: readonly string[] }

const COLUMNS = [
  { title: '' },
  { title: 'ID' },
  { title: 'CREATED' },
  { title: 'LINEAGE' },
  { title: 'WHY' },
] as const

/** What stays and why, and what goes. */
export function forgetReport(
  verdicts: readonly Verdict[],
  look: { readonly dryRun: boolean; readonly paint: TextStream['paint'] },
): { readonly json: unknown; readonly text: () => string } {
  const kept = verdicts.filter((verdict) => verdict.reasons.length > 0)
  const removed = verdicts.filter((verdict) => verdict.reasons.length === 0)
  return {
    json: {
      dryRun: look.dryRun,
      kept: kept.map(({ removal, reasons }) => ({ ...aboutPoint(removal), reasons })),
      removed: removed.map(({ removal }) => aboutPoint(removal)),
    },
    text: () => {
      const rows = verdicts.map((verdict) => rowOf(verdict, look))
      const table =
        rows.length === 0 ? [] : [renderTable(COLUMNS, rows, (title) => look.paint('bold', title))]
      return [...table, closingLine({ kept: kept.length, removed: removed.length }, look.dryRun)].join('\n')
    },
  }
}

function aboutPoint(removal: Removal): { id: string; lineage: string | null; createdAt: string | null } {
  if ('reason' in removal) return { id: removal.id, lineage: null, createdAt: null }
  return { id: removal.id, lineage: removal.point.lineage, createdAt: removal.point.createdAt }
}

function rowOf(
  { removal, reasons }: Verdict,
  look: { dryRun: boolean; paint: TextStream['paint'] },
): string[] {
  const { id, lineage, createdAt } = aboutPoint(removal)
  const verdict = reasons.length > 0 ? look.paint('green', 'keep') : look.paint('red', 'remove')
  const created = createdAt === null ? '(damaged)' : formatLocalTime(createdAt)
  return [verdict, shortId(id), created, lineage ?? '', reasons.join(', ')]
}

function closingLine(counts: { readonly kept: number; readonly removed: number }, dryRun: boolean): string {
  const { kept, removed } = counts
  const points = removed === 1 ? 'point' : 'points'
  if (dryRun) return `Would remove ${removed} ${points} and keep ${kept}; nothing was removed`
  if (removed === 0) return `No points removed, ${kept} kept`
  const their = removed === 1 ? 'its' : 'their'
  return `${removed} ${points} removed; ${their} chunks stay in the repository`
}
