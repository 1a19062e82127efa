import { formatByteSize } from '../../domain/byte-size.ts'
import { volumeLayer } from '../../formats/volume-stack/volume-layer.ts'
import { differingRanges } from '../../repository/differing-ranges.ts'
import { changedFiles } from '../../restore/changed-files.ts'
import { RangeSet } from '../../restore/range-set.ts'
import { unchangedRanges } from '../../restore/unchanged-ranges.ts'
import { changeJson, changeLine, changeSum } from '../changed-files.ts'
import type { DIFF } from '../commands/diff.ts'
import { ExitCode } from '../exit-code.ts'
import { problemLine, problemsExitCode } from '../extract-report.ts'
import type { CommandResult, InvocationOf } from '../invocation.ts'
import { formatLocalTime } from '../local-time.ts'
import {
  openPointFiles,
  openReadable,
  type PointFiles,
  type ReadableRepository,
} from '../open-point-files.ts'

type Sides = { readonly before: PointFiles; readonly after: PointFiles }

/** Which files differ between two points. */
export async function runDiffFiles(invocation: InvocationOf<typeof DIFF>): Promise<CommandResult> {
  const { options, progress, signal } = invocation
  await using readable = await openReadable(invocation)
  const { object, volume } = options
  const sideOf = (point: string): Promise<PointFiles> =>
    openPointFiles(readable, invocation, { point, object, volume })
  const before = await sideOf(invocation.arguments.before)
  const after = await sideOf(invocation.arguments.after)
  progress({ event: 'phase', phase: 'Comparing files', totalBytes: null })
  const { changed, changedBytes, beforeImages } = await changedRanges({ before, after }, readable, signal)
  const isUnchanged = unchangedRanges(
    {
      before: { layer: volumeLayer(before.volume), images: beforeImages },
      after: { layer: volumeLayer(after.volume), images: after.objects.map((_object, index) => index) },
    },
    changed,
  )
  const isSame = beforeImages.length === after.objects.length && changed.every((set) => set.isEmpty)
  const { changes, problems } = isSame
    ? { changes: [], problems: [] }
    : await changedFiles({ before: before.source, after: after.source, isUnchanged, signal })
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

/** Where each image of `after` differs from the one it was before, and which image of `after` each of `before` is. */
async function changedRanges(
  { before, after }: Sides,
  readable: ReadableRepository,
  signal: AbortSignal,
): Promise<{ changed: readonly RangeSet[]; changedBytes: number; beforeImages: readonly (number | null)[] }> {
  const { nodes, repository } = readable.repository
  const { chunkSizeBytes } = repository.config
  // Points that have one object each are compared whatever their names are.
  const isOne = before.objects.length === 1 && after.objects.length === 1
  const changed: RangeSet[] = []
  let changedBytes = 0
  for (const object of after.objects) {
    const set = new RangeSet()
    changed.push(set)
    const previous = isOne ? before.objects[0] : before.objects.find(({ name }) => name === object.name)
    if (previous === undefined) {
      set.add({ offset: 0, length: object.sizeBytes })
      changedBytes += object.sizeBytes
      continue
    }
    const images = { before: previous, after: object }
    for await (const range of differingRanges(images, { chunkSizeBytes, nodes, signal })) {
      set.add(range)
      changedBytes += range.length
    }
    const shrunkBy = previous.sizeBytes - object.sizeBytes
    if (shrunkBy > 0) set.add({ offset: object.sizeBytes, length: shrunkBy })
  }
  const beforeImages = before.objects.map(({ name }) => {
    const index = isOne ? 0 : after.objects.findIndex((object) => object.name === name)
    return index === -1 ? null : index
  })
  return { changed, changedBytes, beforeImages }
}

function nameOf({ stored, description }: PointFiles): string {
  const { lineage, createdAt } = stored.point
  return `${description}  ${formatLocalTime(createdAt)}  ${lineage}`
}
