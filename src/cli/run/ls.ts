import { formatPathBytes, joinPath } from '../../domain/path-text.ts'
import type { ExtractProblem } from '../../restore/extract-report.ts'
import { listFiles, type ListedFile } from '../../restore/list-files.ts'
import { selectFile } from '../../restore/select-files.ts'
import type { LS } from '../commands/ls.ts'
import { ExitCode } from '../exit-code.ts'
import { problemLine, problemsExitCode } from '../extract-report.ts'
import { fileJson, longLine } from '../file-listing.ts'
import type { CommandResult, InvocationOf } from '../invocation.ts'
import { named, openPointFiles, openReadable } from '../open-point-files.ts'

const PROBLEMS_SHOWN_MAX = 100

/** Lists files of a file system in an object of a point, as they are read. */
export async function runLs(invocation: InvocationOf<typeof LS>): Promise<CommandResult> {
  const { options, progress, settings, signal } = invocation
  const names = invocation.arguments.path ?? []
  await using owned = new AsyncDisposableStack()
  const readable = owned.use(await openReadable(invocation))
  const which = { point: invocation.arguments.point, object: options.object, volume: options.volume }
  const files = await openPointFiles(readable, invocation, which)
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
