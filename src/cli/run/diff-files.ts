import { formatByteSize } from '../../domain/byte-size.ts'
import { volumeLayer } from '../../formats/volume-stack/volume-layer.ts'
import { differingRanges } from '../../repository/differing-ranges.ts'
import { compareFiles, type FilesComparison } from '../../restore/compare-files.ts'
import { RangeSet } from '../../restore/range-set.ts'
import { changedRangesIn, unchangedRanges } from '../../restore/unchanged-ranges.ts'
import { changeJson, changeLine, changeSum } from '../changed-files.ts'
import type { DIFF } from '../commands/diff.ts'
import { ExitCode } from '../exit-code.ts'
import { problemLine, problemsExitCode } from '../extract-report.ts'
import type { CommandResult, InvocationOf } from '../invocation.ts'
import { formatLocalTime } from '../local-time.ts'
import {
  openPoint,
  openReadable,
  volumeFiles,
  type OpenPoint,
  type PointFiles,
  type ReadableRepository,
} from '../open-point-files.ts'
import { pairVolumes } from '../volume-pairs.ts'

type Sides = { readonly before: OpenPoint; readonly after: OpenPoint }

type VolumeChanges = FilesComparison & { readonly volume: string }

/** Which files differ between two points, volume by volume. */
export async function runDiffFiles(invocation: InvocationOf<typeof DIFF>): Promise<CommandResult> {
  const { options, progress, signal } = invocation
  await using readable = await openReadable(invocation)
  const sideOf = (point: string): Promise<OpenPoint> =>
    openPoint(readable, invocation, { point, object: options.object })
  const before = await sideOf(invocation.arguments.before)
  const after = await sideOf(invocation.arguments.after)
  const { compared, onlyBefore, onlyAfter } = pairVolumes({ before, after }, options.volume)
  progress({ event: 'phase', phase: 'Comparing files', totalBytes: null })
  const images = await changedRanges({ before, after }, readable, signal)
  const found: VolumeChanges[] = []
  for (const pair of compared) {
    const files = {
      before: volumeFiles(before, invocation, pair.before),
      after: volumeFiles(after, invocation, pair.after),
    }
    found.push(await changesOf(files, images, signal))
  }
  const problems = found.flatMap((volume) => volume.problems)
  return {
    json: {
      before: before.stored.id,
      after: after.stored.id,
      changedBytes: images.changedBytes,
      removedVolumes: onlyBefore,
      addedVolumes: onlyAfter,
      walked: found.flatMap(({ volume, walkedBecause }) =>
        walkedBecause === null ? [] : [{ volume, reason: walkedBecause }],
      ),
      changes: found.flatMap(({ volume, changes }) => changes.map((change) => changeJson(change, volume))),
      problems: problems.map((problem) => ({ code: problem.code, message: problemLine(problem) })),
    },
    text: () =>
      [
        `From ${nameOf(before)}`,
        `to   ${nameOf(after)}`,
        ...changeLines(found, images.changedBytes),
        ...found.flatMap(({ volume, walkedBecause }) =>
          walkedBecause === null ? [] : [walkedLine(volume, walkedBecause)],
        ),
        ...onlyBefore.map((name) => `Only in the earlier point: volume ${name}`),
        ...onlyAfter.map((name) => `Only in the later point: volume ${name}`),
        ...problems.map((problem) => `Cannot be compared: ${problemLine(problem)}`),
      ].join('\n'),
    exitCode: problemsExitCode(problems, ExitCode.Done),
  }
}

/** Of several volumes each path begins with the name of its own. */
function changeLines(found: readonly VolumeChanges[], changedBytes: number): readonly string[] {
  const sum = changeSum(found.flatMap(({ changes }) => changes))
  const lines = found.flatMap(({ volume, changes }) => {
    const prefix = found.length === 1 ? '' : `${volume}:`
    return changes.map((change) => changeLine(change, prefix))
  })
  return [
    `${sum}; chunks of ${formatByteSize(changedBytes)} differ`,
    ...(lines.length > 0 ? ['', ...lines] : []),
  ]
}

/** That it cost what exists, and not what changed. */
function walkedLine(volume: string, reason: string): string {
  const where = volume === '' ? '' : ` of volume ${volume}`
  return `All folders${where} were read: ${reason}`
}

async function changesOf(
  { before, after }: { readonly before: PointFiles; readonly after: PointFiles },
  { changed, beforeImages }: ChangedImages,
  signal: AbortSignal,
): Promise<VolumeChanges> {
  const volume = after.volume.name
  if (beforeImages.length === after.objects.length && changed.every((set) => set.isEmpty)) {
    return { volume, changes: [], problems: [], walkedBecause: null }
  }
  const volumes = {
    before: { layer: volumeLayer(before.volume), images: beforeImages },
    after: { layer: volumeLayer(after.volume), images: after.objects.map((_object, index) => index) },
  }
  const isUnchanged = unchangedRanges(volumes, changed)
  const sources = { before: before.source, after: after.source, isUnchanged, signal }
  const sizes = [before, after].map(({ volume: { image }, source: { fileSystem } }) =>
    Math.min(image.sizeBytes, fileSystem.sizeBytes),
  )
  const range = { offset: 0, length: Math.min(...sizes) }
  const found = await compareFiles(sources, () => changedRangesIn(volumes, changed, range))
  return { volume, ...found }
}

type ChangedImages = {
  readonly changed: readonly RangeSet[]
  readonly changedBytes: number
  readonly beforeImages: readonly (number | null)[]
}

/** Where each image of `after` differs from the one it was before, and which image of `after` each of `before` is. */
async function changedRanges(
  { before, after }: Sides,
  readable: ReadableRepository,
  signal: AbortSignal,
): Promise<ChangedImages> {
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

function nameOf({ stored, where }: OpenPoint): string {
  const { lineage, createdAt } = stored.point
  return `${where}  ${formatLocalTime(createdAt)}  ${lineage}`
}
