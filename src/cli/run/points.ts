import { formatByteSize } from '../../domain/byte-size.ts'
import type { StoredPoint } from '../../domain/recovery-point.ts'
import { listPoints } from '../../repository/points.ts'
import type { POINTS } from '../commands/points.ts'
import { damagedPointLines, noticeDamagedPoints } from '../damaged-points.ts'
import { ExitCode } from '../exit-code.ts'
import type { CommandResult, InvocationOf } from '../invocation.ts'
import { formatLocalTime } from '../local-time.ts'
import { openUnlocked } from '../open-repository.ts'
import { shortId } from '../short-id.ts'
import { renderTable } from '../table.ts'
import type { TextStream } from '../terminal.ts'

const COLUMNS = [
  { title: 'ID' },
  { title: 'CREATED' },
  { title: 'LINEAGE' },
  { title: 'MODE' },
  { title: 'OBJECTS', align: 'right' },
  { title: 'SIZE', align: 'right' },
  { title: 'STORED', align: 'right' },
  { title: 'TAGS' },
] as const

/** Lists points, the oldest first; damaged ones do not hide the sound ones, and are not passed over either. */
export async function runPoints(invocation: InvocationOf<typeof POINTS>): Promise<CommandResult> {
  const { options, settings, progress, terminal } = invocation
  await using opened = await openUnlocked(invocation)
  const { points, damaged } = await listPoints(opened.repository)
  const wanted = points.filter(
    ({ point }) =>
      (options.lineage === undefined || point.lineage === options.lineage) &&
      options.tags.every((tag) => point.tags.includes(tag)),
  )
  // The document is a plain array of points: what is damaged has no place in it.
  if (settings.json) noticeDamagedPoints(damaged, progress)
  return {
    json: wanted.map(pointJson),
    text: () => [describe(wanted, points.length, terminal.output), ...damagedPointLines(damaged)].join('\n'),
    exitCode: damaged.length > 0 ? ExitCode.Repository : ExitCode.Done,
  }
}

function pointJson({ id, point }: StoredPoint): unknown {
  return {
    id,
    lineage: point.lineage,
    createdAt: point.createdAt,
    objects: point.objects.map(({ name, kind, sizeBytes }) => ({ name, kind, sizeBytes })),
    tags: point.tags,
    mode: point.ledger.done.mode,
  }
}

function describe(wanted: readonly StoredPoint[], allCount: number, output: TextStream): string {
  if (wanted.length === 0) {
    return allCount === 0
      ? 'No recovery points yet. Next: icecore backup SOURCE -r REPO'
      : `None of the ${allCount} recovery points is such a one.`
  }
  return renderTable(COLUMNS, wanted.map(rowOf), (title) => output.paint('bold', title))
}

function rowOf({ id, point }: StoredPoint): string[] {
  const sizeBytes = point.objects.reduce((sum, object) => sum + object.sizeBytes, 0)
  const mode = point.ledger.done.mode
  return [
    shortId(id),
    formatLocalTime(point.createdAt),
    point.lineage,
    point.ledger.degraded.length > 0 ? `${mode} (degraded)` : mode,
    String(point.objects.length),
    formatByteSize(sizeBytes),
    formatByteSize(point.ledger.storedBytes),
    point.tags.join(', '),
  ]
}
