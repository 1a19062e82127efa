import { availableParallelism } from 'node:os'
import { formatByteSize } from '../../domain/byte-size.ts'
import { formatDuration } from '../../domain/duration.ts'
import { ExitCode } from '../exit-code.ts'
import type { TextStream } from '../terminal.ts'
import { renderTable } from '../table.ts'
import type { BackedUp, DemoFigures, Restored } from './demo-parts.ts'
import { formatOdds } from './format-odds.ts'
import { wrapText } from './wrap-text.ts'

const WIDTH = 80
const EXAMPLE_REPOSITORY = '/mnt/backup/volumes'

/** Whether everything came back as it was. A wrong list that nobody could notice is no fault of the repository. */
function isDemoRight(figures: DemoFigures): boolean {
  const { wrongList, firstRestore, secondRestore, check, changedFiles, takenOut } = figures
  const isSame = [firstRestore, secondRestore].every((one) => one.equal && one.fileSystemClean !== false)
  const areFilesRight = changedFiles.missingCount === 0 && takenOut.equal
  return isSame && areFilesRight && check.report.ok && !(wrongList.noticed && wrongList.differingBytes > 0)
}

/** Degraded where a run that had nothing wrong to notice was; the run with the wrong list should be. */
export function demoExitCode(figures: DemoFigures): ExitCode {
  if (!isDemoRight(figures)) return ExitCode.Damage
  return degradedOf(figures).length > 0 ? ExitCode.Degraded : ExitCode.Done
}

function shortcomingsOf(figures: DemoFigures): string[] {
  if (figures.wrongList.noticed) return degradedOf(figures)
  const unnoticed = `The wrong list was not noticed this time, which happens ${formatOdds(figures.wrongList.missProbability)}: more --witnesses make it rarer.`
  return [...degradedOf(figures), unnoticed]
}

function degradedOf({ first, second }: DemoFigures): string[] {
  const degraded = [...first.report.degraded, ...second.report.degraded]
  return [...new Set(degraded.map(({ code, message }) => `Degraded (${code}): ${message}.`))]
}

export function demoJson(figures: DemoFigures, keptFolder: string | null): unknown {
  const { volume, changed, first, second, wrongList, check } = figures
  return {
    ok: isDemoRight(figures),
    durationMs: figures.durationMs,
    folder: keptFolder,
    processorCount: availableParallelism(),
    volume: { sizeBytes: volume.sizeBytes, fileCount: volume.fileCount, fileBytes: volume.fileBytes },
    changes: {
      addedFileCount: changed.addedCount,
      rewrittenFileCount: changed.rewrittenCount,
      removedFileCount: changed.removedCount,
      rangeCount: changed.ranges.length,
      rangeBytes: changed.rangeBytes,
    },
    map: figures.mapped,
    first: backupJson(first),
    second: backupJson(second),
    changedFiles: figures.changedFiles,
    extracted: figures.takenOut,
    wrongList: {
      ...backupJson(wrongList),
      withheldRangeCount: wrongList.withheldRangeCount,
      withheldBytes: wrongList.withheldBytes,
      missedChunkCount: wrongList.missedChunkCount,
      missProbability: wrongList.missProbability,
      noticed: wrongList.noticed,
      differingBytes: wrongList.differingBytes,
    },
    restores: [figures.firstRestore, figures.secondRestore],
    check: { ...check.report, durationMs: check.durationMs },
    repositoryBytes: figures.repositoryBytes,
  }
}

function backupJson({ report, durationMs, exitCode }: BackedUp): Record<string, unknown> {
  const { object, ...rest } = report
  return {
    pointId: report.pointId,
    durationMs,
    exitCode,
    mode: rest.done.mode,
    freeBytes: object.freeBytes,
    readBytes: object.readBytes,
    changedBytes: object.changedBytes,
    storedBytes: report.storedBytes,
    newChunkCount: object.newChunkCount,
    reusedChunkCount: object.reusedChunkCount,
    witnesses: object.witnesses,
    degraded: report.degraded,
  }
}

/** The closing summary: figures, what they mean, and what to type next. */
export function demoText(
  figures: DemoFigures,
  about: {
    readonly program: string
    readonly keptFolder: string | null
    readonly paint: TextStream['paint']
  },
): string {
  const { paint, program } = about
  const bold = (text: string): string => paint('bold', text)
  const verdict = isDemoRight(figures)
    ? paint('green', rightText(figures))
    : paint('red', 'Something is WRONG: see above. Please report it with what is above.')
  return [
    '',
    bold(`Measured on this machine, in ${formatDuration(figures.durationMs)}`),
    '',
    figuresTable(figures, (title) => paint('dim', title)),
    '',
    verdict,
    ...shortcomingsOf(figures).flatMap((text) => wrapText(text, WIDTH).map((line) => paint('yellow', line))),
    '',
    ...meaningOf(figures).flatMap((paragraph) => [...wrapText(paragraph, WIDTH), '']),
    bold('Next, with your own data'),
    '',
    ...nextSteps(program).flatMap(([line, why]) => [`  ${paint('dim', `# ${why}`)}`, `  ${line}`]),
    ...keptLines(about.keptFolder, program, bold),
  ].join('\n')
}

function rightText({ firstRestore, secondRestore }: DemoFigures): string {
  const isAll = firstRestore.zeroedFreeBytes + secondRestore.zeroedFreeBytes === 0
  const how = isAll ? 'bit by bit' : 'in all that is in use'
  return `Both points came back ${how}, and every stored byte is as it should be.`
}

function figuresTable(figures: DemoFigures, paintTitle: (title: string) => string): string {
  const { first, second, wrongList, firstRestore, secondRestore, check, changedFiles, takenOut } = figures
  const columns = [
    { title: '' },
    { title: 'TIME', align: 'right' },
    { title: 'READ', align: 'right' },
    { title: 'WRITTEN', align: 'right' },
    { title: 'RATE', align: 'right' },
  ] as const
  const backup = (name: string, { report, durationMs }: BackedUp): string[] =>
    row(name, { durationMs, readBytes: report.object.readBytes, writtenBytes: report.storedBytes })
  const restore = (name: string, { durationMs, writtenBytes }: Restored): string[] =>
    row(name, { durationMs, writtenBytes })
  const rows = [
    backup('First backup', first),
    backup('Second backup, with a list', second),
    [`Which of ${figures.volume.fileCount} files changed`, formatDuration(changedFiles.durationMs)],
    row('One file taken out', { durationMs: takenOut.durationMs, writtenBytes: takenOut.sizeBytes }),
    backup('The same, the list being wrong', wrongList),
    restore('Restore of the first', firstRestore),
    restore('Restore of the second', secondRestore),
    row('Check of every byte', { durationMs: check.durationMs, readBytes: check.report.readBytes }),
  ]
  return renderTable(columns, rows, paintTitle)
}

/** The rate is that of the larger side: what was read of the volume, or written to it. */
function row(
  name: string,
  done: { readonly durationMs: number; readonly readBytes?: number; readonly writtenBytes?: number },
): string[] {
  const { durationMs, readBytes, writtenBytes } = done
  const rate = (Math.max(readBytes ?? 0, writtenBytes ?? 0) / durationMs) * 1000
  return [
    name,
    formatDuration(durationMs),
    sizeCell(readBytes),
    sizeCell(writtenBytes),
    `${formatByteSize(rate)}/s`,
  ]
}

function sizeCell(bytes: number | undefined): string {
  return bytes === undefined ? '' : formatByteSize(bytes)
}

function meaningOf(figures: DemoFigures): string[] {
  const { volume, first, second, repositoryBytes, changed } = figures
  const { readBytes, zeroBytes } = first.report.object
  const dataBytes = readBytes - zeroBytes
  const readRatio = readBytes / second.report.object.readBytes
  const storedRatio = first.report.storedBytes / second.report.storedBytes
  return [
    `The volume has ${formatByteSize(volume.sizeBytes)}, of which ${formatByteSize(first.report.object.freeBytes ?? 0)} were proven free and not read; ${formatByteSize(dataBytes)} of the rest are not zero. The first backup stored that in ${formatByteSize(first.report.storedBytes)}, ${times(dataBytes / first.report.storedBytes)} less. ${formatByteSize(changed.rangeBytes)} changed; the second backup read ${times(readRatio)} less than the first, stored ${times(storedRatio)} less and took ${times(first.durationMs / second.durationMs)} less time. The repository, with three points, takes ${formatByteSize(repositoryBytes)}.`,
    `Times are those of whole commands, the password turned into a key included. The files had just been written, so they were read from memory; a disk may be slower than ${formatByteSize((first.report.object.readBytes / first.durationMs) * 1000)}/s.`,
  ]
}

function times(ratio: number): string {
  return ratio < 9.95 ? `${ratio.toFixed(1)} times` : `${Math.round(ratio)} times`
}

function nextSteps(program: string): (readonly [string, string])[] {
  const repository = EXAMPLE_REPOSITORY
  return [
    [`${program} init ${repository}`, 'a repository, best on another machine’s disks; keep its recovery key'],
    [
      `${program} backup /dev/vg0/data -r ${repository} --name data`,
      'every night, as root: it is frozen for that, and only what changed is stored',
    ],
    [`${program} map /dev/vg0/data`, 'what lies on it, and how much of it is in use'],
    [`${program} points -r ${repository}`, 'what there is'],
    [`${program} diff ID latest -r ${repository} --files`, 'which files changed since point ID'],
    [`${program} extract latest:data /etc -r ${repository} --to out`, 'files out of it, without a mount'],
    [`${program} check -r ${repository} --data`, 'now and then: is every byte still right?'],
    [`${program} restore latest:data -r ${repository} --to data.img`, 'back to a file, or to a device'],
  ]
}

function keptLines(folder: string | null, program: string, bold: (text: string) => string): string[] {
  if (folder === null) return []
  return [
    '',
    bold(`All of it is kept in ${folder}`),
    '',
    `  ${program} points -r ${folder}/repository \\`,
    `    --password-file ${folder}/password`,
  ]
}
