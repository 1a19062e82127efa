import { formatByteSize } from '../../domain/byte-size.ts'
import { formatPathBytes, joinPath } from '../../domain/path-text.ts'
import type { ExtractProblem } from '../../restore/extract-report.ts'
import { listFiles, type ListedFile } from '../../restore/list-files.ts'
import { selectFile } from '../../restore/select-files.ts'
import { fileSystemVolumes, type FileSystemVolume } from '../../formats/volume-stack/file-system-volumes.ts'
import type { LS } from '../commands/ls.ts'
import { ExitCode } from '../exit-code.ts'
import { problemLine, problemsExitCode } from '../extract-report.ts'
import { fileJson, longLine } from '../file-listing.ts'
import type { CommandResult, InvocationOf } from '../invocation.ts'
import { named, openPoint, openReadable, volumeFiles } from '../open-point-files.ts'

const PROBLEMS_SHOWN_MAX = 100

/** Lists files of a file system in an object of a point, as they are read. */
export async function runLs(invocation: InvocationOf<typeof LS>): Promise<CommandResult> {
  const { options, progress, settings, signal } = invocation
  await using owned = new AsyncDisposableStack()
  const readable = owned.use(await openReadable(invocation))
  const { point, path: given } = invocation.arguments
  const open = await openPoint(readable, invocation, { point, object: options.object })
  const volumes = fileSystemVolumes(open.stack)
  if (given === undefined && volumes.length > 1) return volumesResult(volumes)
  const names = given?.names ?? []
  const files = volumeFiles(open, invocation, given?.volume ?? null)
  const { fileSystem } = files.source
  const path = formatPathBytes(joinPath(names))
  const selected = await named({ ...files, path }, () => selectFile(fileSystem, names, signal))
  const problems: ExtractProblem[] = []
  const listed = listFiles(fileSystem, selected, {
    recursive: options.recursive,
    withLinkTargets: options.long || settings.json,
    onProblem: (problem) => {
      if (problems.length >= PROBLEMS_SHOWN_MAX) return
      problems.push(problem)
      progress({ event: 'notice', message: problemLine(problem) })
    },
    signal,
  })
  const moved = owned.move()
  const line = (file: ListedFile): string => {
    const shown = options.recursive ? file.path : file.name
    return options.long ? longLine(file, shown) : formatPathBytes(shown)
  }
  return {
    json: null,
    text: '',
    pieces: linesOf(moved, listed, line),
    jsonPieces: jsonOf(moved, listed),
    exitCode: ExitCode.Done,
    finalExitCode: () => problemsExitCode(problems, ExitCode.Done),
  }
}

/** Instead of files, where nobody said of which volume: what a path may begin with. */
function volumesResult(volumes: readonly FileSystemVolume[]): CommandResult {
  return {
    json: volumes.map(({ volume, fileSystem }) => {
      const { format, label, uuid, sizeBytes } = fileSystem
      return { volume: volume.name, format, label, uuid, sizeBytes }
    }),
    text: () => volumes.map(volumeLine).join('\n'),
    exitCode: ExitCode.Done,
  }
}

function volumeLine({ volume, fileSystem }: FileSystemVolume): string {
  const { format, label, sizeBytes } = fileSystem
  const quoted = label === '' ? '' : ` "${formatPathBytes(new TextEncoder().encode(label))}"`
  return `${volume.name}:/  ${format}${quoted}  ${formatByteSize(sizeBytes)}`
}

async function* linesOf(
  owned: AsyncDisposable,
  listed: AsyncIterable<readonly ListedFile[]>,
  line: (file: ListedFile) => string,
): AsyncGenerator<string> {
  await using _owned = owned
  for await (const batch of listed) yield batch.map((file) => `${line(file)}\n`).join('')
}

/** A JSON array, one file a line. */
async function* jsonOf(
  owned: AsyncDisposable,
  listed: AsyncIterable<readonly ListedFile[]>,
): AsyncGenerator<string> {
  await using _owned = owned
  let before = '[\n'
  for await (const batch of listed) {
    if (batch.length === 0) continue
    yield before + batch.map((file) => `  ${JSON.stringify(fileJson(file))}`).join(',\n')
    before = ',\n'
  }
  yield before === '[\n' ? '[]\n' : '\n]\n'
}
