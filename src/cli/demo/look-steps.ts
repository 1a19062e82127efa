import { join } from 'node:path'
import { dirname } from 'node:path/posix'
import { formatByteSize } from '../../domain/byte-size.ts'
import { formatDuration } from '../../domain/duration.ts'
import { shortId } from '../short-id.ts'
import { runShown } from './backup-steps.ts'
import type { ChosenFile } from './choose-files.ts'
import { parseExtractReport, parseFileChanges, parseMapReport } from './command-reports.ts'
import type { ChangedFiles, DemoParts, MadeVolume, Mapped, TakenOut } from './demo-parts.ts'
import { hashFiles } from './hash-files.ts'
import { ADDED_FOLDER, type PlannedChanges } from './plan-changes.ts'
import { textOf } from './result-text.ts'

const CHANGES_SHOWN = 10
const FILES_SHOWN = 6
const EXTENTS_SHOWN = 3

/** Shows what lies on the volume, and where its largest file lies. */
export async function mapVolume(parts: DemoParts, volume: MadeVolume, plan: PlannedChanges): Promise<Mapped> {
  const { story } = parts
  const file = largest(plan.first)
  await story.step('What lies on it, read from its bytes: nothing is mounted')
  const words = ['map', volume.path, '--path', `/${file.to}`, '--extents', `${EXTENTS_SHOWN}`]
  const { result, durationMs } = await runShown(parts, words, 'Mapping')
  await story.output(await textOf(result), Infinity)
  const mapped = { ...parseMapReport(result.json), durationMs }
  await story.outcome(
    'done',
    `${formatByteSize(mapped.freeBytes)} are proven free: a backup need not read them.`,
  )
  return mapped
}

/** Which files changed, found in the two points, and whether those that did are among them. */
export async function compareFiles(
  parts: DemoParts,
  points: { readonly first: string; readonly second: string },
  plan: PlannedChanges,
): Promise<ChangedFiles> {
  const { story } = parts
  await story.step('Which files changed, from the two points alone')
  const words = ['diff', shortId(points.first), shortId(points.second), '--files']
  const { result, durationMs } = await runShown(parts, words, 'Comparing files')
  await story.output(await textOf(result), CHANGES_SHOWN)
  const changes = parseFileChanges(result.json)
  const named = new Set(changes.flatMap(({ path, previousPath }) => [path, previousPath]))
  const changed = [...plan.rewritten, ...plan.removed].map((file) => `/${file.to}`)
  const missing = changed.filter((path) => !named.has(path))
  const addedCount = changes.filter(
    ({ path, kind }) => path.startsWith(`/${ADDED_FOLDER}/`) && kind === 'file',
  ).length
  const missingCount = missing.length + Math.max(0, plan.added.length - addedCount)
  const took = formatDuration(durationMs)
  if (missingCount === 0) {
    await story.outcome(
      'done',
      `All ${changed.length + plan.added.length} that changed are found, in ${took}.`,
    )
  } else {
    await story.outcome(
      'bad',
      `${missingCount} that changed are not among them, such as ${missing[0] ?? ''}.`,
    )
  }
  return { changeCount: changes.length, missingCount, durationMs }
}

/** Lists a folder of the first point, and takes out of it a file that the second no longer has. */
export async function takeFileOut(
  parts: DemoParts,
  pointId: string,
  plan: PlannedChanges,
): Promise<TakenOut> {
  const { story, folder, signal } = parts
  const file = largest(plan.removed.length > 0 ? plan.removed : plan.first)
  const path = `/${file.to}`
  await story.step('A file that was removed, out of the first point')
  const listing = await runShown(parts, ['ls', shortId(pointId), dirname(path), '-l'], 'Listing')
  await story.output(await textOf(listing.result), FILES_SHOWN)
  const words = ['extract', shortId(pointId), path, '--to', join(folder, 'out')]
  const { result, durationMs } = await runShown(parts, words, 'Taking a file out')
  const { problems } = parseExtractReport(result.json)
  const files = [file.from, join(folder, 'out', file.to)]
  const [original, taken] =
    problems.length > 0
      ? ['', null]
      : await story.during('Comparing by SHA-256', (progress) =>
          hashFiles(files, 2 * file.sizeBytes, { progress, signal }),
        )
  const equal = original === taken
  const size = formatByteSize(file.sizeBytes)
  await story.outcome(
    equal ? 'done' : 'bad',
    equal
      ? `${size} in ${formatDuration(durationMs)}, equal to ${file.from} of this machine.`
      : `It is not equal to ${file.from} of this machine. ${problems.map(({ message }) => message).join(' ')}`,
  )
  return { path, sizeBytes: file.sizeBytes, equal, durationMs }
}

function largest(files: readonly ChosenFile[]): ChosenFile {
  return files.reduce((most, file) => (file.sizeBytes > most.sizeBytes ? file : most))
}
