import { formatPathBytes, joinPath } from '../../domain/path-text.ts'
import { openNewTargetFolder } from '../../linux/open-target-folder.ts'
import { targetOpenError } from '../../linux/target-error.ts'
import { extractFiles } from '../../restore/extract-files.ts'
import { selectFile, type SelectedFile } from '../../restore/select-files.ts'
import type { EXTRACT } from '../commands/extract.ts'
import { extractExitCode, extractJson, extractText } from '../extract-report.ts'
import type { CommandResult, InvocationOf } from '../invocation.ts'
import { named, openPointFiles, openReadable } from '../open-point-files.ts'
import { usageFailure } from '../usage-failure.ts'
import type { VolumePath } from '../volume-path.ts'

/** Takes files and folders out of an object of a point. */
export async function runExtract(invocation: InvocationOf<typeof EXTRACT>): Promise<CommandResult> {
  const { options, progress, signal, clock } = invocation
  const startedAt = clock.now().getTime()
  await using readable = await openReadable(invocation)
  const which = {
    point: invocation.arguments.point,
    object: options.object,
    volume: volumeOf(invocation.arguments.paths),
  }
  const files = await openPointFiles(readable, invocation, which)
  const { stored, objects, source, volume, description } = files
  // All are found before anything is written: a word that is wrong must not leave half of what was meant.
  const selected: SelectedFile[] = []
  for (const { names } of invocation.arguments.paths) {
    const path = formatPathBytes(joinPath(names))
    selected.push(await named({ ...files, path }, () => selectFile(source.fileSystem, names, signal)))
  }
  const { folder, isNew: isTargetNew } = openNewTargetFolder(options.to)
  using target = folder
  progress({ event: 'phase', phase: `Taking files out of ${description}`, totalBytes: null })
  const parts = { source, target, isTargetNew, overwrite: options.overwrite, progress, signal }
  const outcome = await extractFiles(parts, selected).catch((error: unknown): never => {
    throw targetOpenError(options.to, error)
  })
  const durationMs = clock.now().getTime() - startedAt
  const head = `Took files out of ${description} (${stored.point.createdAt}) to ${options.to}`
  return {
    json: {
      pointId: stored.id,
      object: objects.length === 1 ? (objects[0]?.name ?? null) : null,
      volume: volume.name,
      target: options.to,
      ...extractJson(outcome),
      durationMs,
    },
    text: () => extractText(outcome, { head, durationMs }),
    exitCode: extractExitCode(outcome),
  }
}

/** Two volumes would meet in one folder. */
function volumeOf(paths: readonly VolumePath[]): string | null {
  const [volume = null, ...others] = new Set(paths.map((path) => path.volume))
  if (others.length === 0) return volume
  throw usageFailure('extract', 'its paths are of different volumes, required is one volume at a time')
}
