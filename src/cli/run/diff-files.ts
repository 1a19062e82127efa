import { formatByteSize } from '../../domain/byte-size.ts'
import type { StoredPoint } from '../../domain/recovery-point.ts'
import { differingRanges } from '../../repository/differing-ranges.ts'
import { changedFiles } from '../../restore/changed-files.ts'
import { RangeSet } from '../../restore/range-set.ts'
import { changeJson, changeLine, changeSum } from '../changed-files.ts'
import type { DIFF } from '../commands/diff.ts'
import { ExitCode } from '../exit-code.ts'
import { problemLine, problemsExitCode } from '../extract-report.ts'
import type { CommandResult, InvocationOf } from '../invocation.ts'
import { formatLocalTime } from '../local-time.ts'
import { openPointFiles, openReadable, type PointFiles } from '../open-point-files.ts'
import { shortId } from '../short-id.ts'

/** Which files differ between two points. */
export async function runDiffFiles(invocation: InvocationOf<typeof DIFF>): Promise<CommandResult> {
  const { options, progress, signal } = invocation
  await using readable = await openReadable(invocation)
  const { object } = options
  const before = await openPointFiles(readable, invocation, { point: invocation.arguments.before, object })
  const after = await openPointFiles(readable, invocation, { point: invocation.arguments.after, object })
  progress({ event: 'phase', phase: 'Comparing files', totalBytes: null })
  const changed = new RangeSet()
  let changedBytes = 0
  const { nodes, repository } = readable.repository
  const { chunkSizeBytes } = repository.config
  const images = { before: before.object, after: after.object }
  for await (const range of differingRanges(images, { chunkSizeBytes, nodes, signal })) {
    changed.add(range)
    changedBytes += range.length
  }
  const shrunkBy = before.object.sizeBytes - after.object.sizeBytes
  if (shrunkBy > 0) changed.add({ offset: after.object.sizeBytes, length: shrunkBy })
  const sources = { before: before.source, after: after.source, changed, signal }
  const { changes, problems } = await changedFiles(sources)
  return {
    json: {
      before: before.stored.id,
      after: after.stored.id,
      changedBytes,
      changes: changes.map(changeJson),
      problems: problems.map((problem) => ({ code: problem.code, message: problemLine(problem) })),
    },
    text: () =>
      [
        `From ${nameOf(before)}`,
        `to   ${nameOf(after)}`,
        `${changeSum(changes)}; chunks of ${formatByteSize(changedBytes)} differ`,
        ...(changes.length > 0 ? ['', ...changes.map(changeLine)] : []),
        ...problems.map((problem) => `Cannot be compared: ${problemLine(problem)}`),
      ].join('\n'),
    exitCode: problemsExitCode(problems, ExitCode.Done),
  }
}

function nameOf({ stored, object }: Pick<PointFiles, 'object'> & { readonly stored: StoredPoint }): string {
  const { lineage, createdAt } = stored.point
  return `${shortId(stored.id)}  ${formatLocalTime(createdAt)}  ${lineage}: ${object.name}`
}
