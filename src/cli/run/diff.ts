import { formatByteSize } from '../../domain/byte-size.ts'
import type { PointObject, StoredPoint } from '../../domain/recovery-point.ts'
import { differingRanges, type DifferingRange } from '../../repository/differing-ranges.ts'
import { listPoints, type Points } from '../../repository/points.ts'
import { selectObject } from '../../repository/select-object.ts'
import { selectSoundPoint } from '../../repository/select-point.ts'
import type { DIFF } from '../commands/diff.ts'
import { changeListPieces, measureDifference, type Difference } from '../difference.ts'
import { ExitCode } from '../exit-code.ts'
import type { CommandResult, InvocationOf } from '../invocation.ts'
import { formatLocalTime } from '../local-time.ts'
import { openIndexed } from '../open-repository.ts'
import { formatShare } from '../share.ts'
import { shortId } from '../short-id.ts'
import { renderTable } from '../table.ts'
import { runDiffFiles } from './diff-files.ts'

type DiffInvocation = InvocationOf<typeof DIFF>
type Side = { readonly stored: StoredPoint; readonly object: PointObject }
type Sides = { readonly before: Side; readonly after: Side }

/** Ranges that are kept in memory, some 5 MB; a longer list is read a second time while it is printed. */
const RANGES_HELD_MAX = 65_536
/** Ranges that are shown unless --verbose asks for more. */
const RANGES_SHOWN_MAX = 20

const COLUMNS = [{ title: 'RANGE' }, { title: 'SIZE', align: 'right' }, { title: 'NOW' }] as const

/** Which ranges, or which files, differ between two points. */
export async function runDiff(invocation: DiffInvocation): Promise<CommandResult> {
  const { options, settings, signal } = invocation
  if (options.files) return await runDiffFiles(invocation)
  await using owned = new AsyncDisposableStack()
  const opened = owned.use(await openIndexed(invocation))
  const sides = selectSides(invocation, await listPoints(opened.repository))
  const images = { before: sides.before.object, after: sides.after.object }
  const { chunkSizeBytes } = opened.repository.config
  const ranges = (): AsyncIterable<DifferingRange> =>
    differingRanges(images, { chunkSizeBytes, nodes: opened.nodes, signal })
  // To the end before the first line is printed: what cannot be read is an error and not half a list.
  const difference = await measureDifference(ranges(), RANGES_HELD_MAX)
  const result = {
    json: difference.held,
    text: () => describe(sides, difference, settings.verbose),
    exitCode: ExitCode.Done,
  }
  if (!settings.json || difference.rangeCount === difference.held.length) return result
  return { ...result, jsonPieces: piecesFrom(owned.move(), ranges()) }
}

/** The repository stays open until the last piece. */
async function* piecesFrom(
  owned: AsyncDisposable,
  ranges: AsyncIterable<DifferingRange>,
): AsyncGenerator<string> {
  await using _opened = owned
  yield* changeListPieces(ranges)
}

/** Points that have one object each are compared whatever their names are. */
function selectSides(invocation: DiffInvocation, points: Points): Sides {
  const sideOf = (selector: string): Side => {
    const stored = selectSoundPoint(points, selector)
    return { stored, object: selectObject(stored, invocation.options.object) }
  }
  return { before: sideOf(invocation.arguments.before), after: sideOf(invocation.arguments.after) }
}

function describe(sides: Sides, difference: Difference, verbose: boolean): string {
  const { rangeCount, differingBytes, zeroedBytes, held } = difference
  const { sizeBytes } = sides.after.object
  const share = formatShare(differingBytes / sizeBytes)
  const sum =
    rangeCount === 0
      ? 'No range differs'
      : `${rangeCount === 1 ? '1 range differs' : `${rangeCount} ranges differ`}: ${formatByteSize(differingBytes)} of ${formatByteSize(sizeBytes)} (${share}), of which ${formatByteSize(zeroedBytes)} became zeros`
  const head = [`From ${nameOf(sides.before)}`, `to   ${nameOf(sides.after)}`, sum, ...resizedLines(sides)]
  if (rangeCount === 0) return head.join('\n')
  const shown = verbose ? held : held.slice(0, RANGES_SHOWN_MAX)
  const table = renderTable(COLUMNS, shown.map(rowOf))
  const others = rangeCount - shown.length
  const all = verbose ? '--json lists all' : '--verbose or --json lists them'
  return [...head, '', table, ...(others === 0 ? [] : [`and ${others} more: ${all}`])].join('\n')
}

function nameOf({ stored, object }: Side): string {
  const { lineage, createdAt } = stored.point
  return `${shortId(stored.id)}  ${formatLocalTime(createdAt)}  ${lineage}: ${object.name}`
}

function resizedLines({ before, after }: Sides): string[] {
  const change = after.object.sizeBytes - before.object.sizeBytes
  if (change === 0) return []
  const how = change > 0 ? 'grew' : 'shrank'
  return [`The image ${how} by ${formatByteSize(Math.abs(change))}`]
}

/** Ranges are written as options take them: `OFFSET+LENGTH`. */
function rowOf({ offset, length, exists }: DifferingRange): string[] {
  return [`${offset}+${length}`, formatByteSize(length), exists ? 'data' : 'zeros']
}
