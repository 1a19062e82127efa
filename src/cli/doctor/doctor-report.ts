import type { Finding, Stops, Verdict } from '../../host/doctor/finding.ts'
import { ExitCode } from '../exit-code.ts'
import type { CommandResult } from '../invocation.ts'
import type { Style, TextStream } from '../terminal.ts'

/** What was looked at, and what came of it. */
export type Examined = { readonly title: string; readonly findings: readonly Finding[] }

const MARKS: Readonly<Record<Verdict, { readonly sign: string; readonly style: Style }>> = {
  ok: { sign: '✓', style: 'green' },
  warning: { sign: '!', style: 'yellow' },
  wrong: { sign: '✗', style: 'red' },
  unknown: { sign: '?', style: 'cyan' },
}

/** What ends a backup before what would only make it worse. */
const CODES: readonly (readonly [Stops, ExitCode])[] = [
  ['agent', ExitCode.Network],
  ['source', ExitCode.SourceOrTarget],
  ['repository', ExitCode.Repository],
]

export function doctorReport(
  examined: readonly Examined[],
  output: Pick<TextStream, 'paint'>,
): CommandResult {
  return {
    json: examined.flatMap(({ title, findings }) =>
      findings.map((finding) => ({ about: title, ...finding })),
    ),
    text: () => textOf(examined, output),
    exitCode: doctorExitCode(examined.flatMap(({ findings }) => findings)),
  }
}

export function doctorExitCode(findings: readonly Finding[]): ExitCode {
  for (const [stops, code] of CODES) {
    if (findings.some((finding) => finding.verdict === 'wrong' && finding.stops === stops)) return code
  }
  const isBad = findings.some(({ verdict }) => verdict === 'wrong' || verdict === 'unknown')
  return isBad ? ExitCode.Degraded : ExitCode.Done
}

function textOf(examined: readonly Examined[], { paint }: Pick<TextStream, 'paint'>): string {
  const width = Math.max(...examined.flatMap(({ findings }) => findings.map(({ name }) => name.length)))
  const blocks = examined.map(({ title, findings }) =>
    [paint('bold', title), ...findings.flatMap((finding) => linesOf(finding, width, paint))].join('\n'),
  )
  return [...blocks, summaryOf(examined.flatMap(({ findings }) => findings))].join('\n\n')
}

/** The verdict stands there as a word too: for logs, and for who does not see colours. */
function linesOf(finding: Finding, width: number, paint: TextStream['paint']): readonly string[] {
  const { name, verdict, sentence, advice } = finding
  const { sign, style } = MARKS[verdict]
  const mark = paint(style, `${sign} ${verdict.padEnd('warning'.length)}`)
  const indent = ' '.repeat(2 + 'warning'.length + 2 + width + 4)
  const lines = [`  ${mark}  ${name.padEnd(width)}  ${sentence}`]
  return advice === null ? lines : [...lines, `${indent}→ ${advice}`]
}

function summaryOf(findings: readonly Finding[]): string {
  const count = (verdict: Verdict): number => findings.filter((finding) => finding.verdict === verdict).length
  const parts = (['wrong', 'warning', 'unknown'] as const)
    .map((verdict) => ({ verdict, number: count(verdict) }))
    .filter(({ number }) => number > 0)
    .map(({ verdict, number }) => `${number} ${verdict}${verdict === 'warning' && number > 1 ? 's' : ''}`)
  if (parts.length === 0) return `All ${findings.length} checks are well`
  return `${findings.length} checks: ${[`${count('ok')} ok`, ...parts].join(', ')}`
}
