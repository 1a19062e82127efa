import { formatByteSize } from '../domain/byte-size.ts'
import { formatDuration } from '../domain/duration.ts'
import { formatPathBytes } from '../domain/path-text.ts'
import type { ExtractOutcome, ExtractProblem, NotKeptCount } from '../restore/extract-report.ts'
import { ExitCode } from './exit-code.ts'

const PROBLEMS_SHOWN_MAX = 20

/** The worst of what happened: damage in the repository, then the file system and the target, then what was not kept. */
export function extractExitCode(outcome: ExtractOutcome): ExitCode {
  return problemsExitCode(outcome.problems, outcome.notKept.length > 0 ? ExitCode.Degraded : ExitCode.Done)
}

/** `standard` when there is no problem. */
export function problemsExitCode(problems: readonly ExtractProblem[], standard: ExitCode): ExitCode {
  if (problems.some(({ code }) => code === 'CHUNK_DAMAGED')) return ExitCode.Repository
  if (problems.some(({ code }) => code !== 'NOT_MADE')) return ExitCode.SourceOrTarget
  return problems.length > 0 ? ExitCode.Degraded : standard
}

export function problemLine({ path, message }: Pick<ExtractProblem, 'path' | 'message'>): string {
  return `${formatPathBytes(path)}: ${message}`
}

/** The result of `extract --json`, without what names the point. */
export function extractJson(outcome: ExtractOutcome): Readonly<Record<string, unknown>> {
  return {
    ...outcome,
    notKept: outcome.notKept.map((each) => ({ ...each, example: formatPathBytes(each.example) })),
    problems: outcome.problems.map((each) => ({ ...each, path: formatPathBytes(each.path) })),
  }
}

/** Lines for people. */
export function extractText(
  outcome: ExtractOutcome,
  about: { readonly head: string; readonly durationMs: number },
): string {
  const counts = [
    counted(outcome.fileCount, 'file'),
    counted(outcome.folderCount, 'folder'),
    ...(outcome.linkCount > 0 ? [counted(outcome.linkCount, 'symbolic link')] : []),
    ...(outcome.hardLinkCount > 0 ? [counted(outcome.hardLinkCount, 'hard link')] : []),
    ...(outcome.specialFileCount > 0 ? [counted(outcome.specialFileCount, 'special file')] : []),
  ]
  const shown = outcome.problems.slice(0, PROBLEMS_SHOWN_MAX)
  const others = outcome.problemCount - shown.length
  return [
    about.head,
    `  ${counts.join(', ')}; ${formatByteSize(outcome.writtenBytes)}, every chunk verified; ${formatDuration(about.durationMs)}`,
    ...outcome.notKept.map(notKeptLine),
    ...(outcome.problemCount > 0 ? [`Not taken out (${outcome.problemCount}):`] : []),
    ...shown.map((problem) => `  ${problemLine(problem)}`),
    ...(others > 0 ? [`  and ${others} more`] : []),
  ].join('\n')
}

const WHAT: Readonly<Record<NotKeptCount['what'], string>> = {
  owner: 'The owner',
  mode: 'The mode',
  times: 'The times',
  attribute: 'An extended attribute',
}

function notKeptLine({ what, reason, count, example }: NotKeptCount): string {
  return `${WHAT[what]} of ${count} could not be kept (${reason}), the first is ${formatPathBytes(example)}`
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
