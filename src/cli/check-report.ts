import { formatByteSize } from '../domain/byte-size.ts'
import { formatDuration } from '../domain/duration.ts'
import type { CheckResult } from '../repository/check/check-repository.ts'
import type { Problem } from '../repository/check/problem.ts'

/** Points are named one by one up to this many; the JSON has them all. */
const POINTS_SHOWN_MAX = 10

export type CheckReport = CheckResult & {
  readonly repository: string
  /** Without a key: names were compared with bytes, and nothing else. */
  readonly namesOnly: boolean
  /** Of the packs, how many were to be read: 0 to 1. */
  readonly share: number
  readonly durationMs: number
}

/** What `check` says. The JSON is part of the command line's contract. */
export function checkReport(report: CheckReport): { readonly json: unknown; readonly text: string } {
  const { problems, notes, fence, read } = report
  const json = {
    ok: problems.length === 0,
    checkedPackCount: read?.packCount ?? report.packCount,
    checkedChunkCount: read?.chunkCount ?? report.chunkCount,
    problems,
    notes,
    scope: scopeOf(report),
    sharePercent: report.share * 100,
    pointCount: report.pointCount,
    segmentCount: report.segmentCount,
    packCount: report.packCount,
    packBytes: report.packBytes,
    readBytes: read?.bytes ?? 0,
    referredChunkCount: report.chunkCount,
    nodeCount: report.nodeCount,
    fencedPacks: fence.failure === null ? fence.packIds : [],
    durationMs: report.durationMs,
  }
  return { json, text: textOf(report) }
}

function scopeOf(report: CheckReport): 'names' | 'structure' | 'sample' | 'data' {
  if (report.namesOnly) return 'names'
  if (report.share === 0) return 'structure'
  return report.share < 1 ? 'sample' : 'data'
}

function textOf(report: CheckReport): string {
  const { problems, notes, fence } = report
  const lines = [
    problems.length === 0
      ? `No problem found in ${report.repository}`
      : `${problems.length} ${problems.length === 1 ? 'problem' : 'problems'} found in ${report.repository}`,
    ...countLines(report),
    ...notes.map((note) => `  note: ${note}`),
    ...problems.flatMap(problemLines),
  ]
  if (fence.packIds.length > 0) lines.push('', fenceLine(fence))
  return lines.join('\n')
}

function countLines(report: CheckReport): string[] {
  const { read, durationMs } = report
  const packs = `${report.packCount} packs with ${formatByteSize(report.packBytes)}`
  const lines = [
    report.namesOnly
      ? `  without a key: ${report.pointCount} points, ${report.segmentCount} index segments; names were compared with bytes, which says nothing of missing packs`
      : `  ${report.pointCount} points, ${report.nodeCount} tree nodes, ${report.chunkCount} chunks looked up, ${report.segmentCount} index segments`,
  ]
  if (read === null) {
    lines.push(
      `  ${packs} are there, none was read (--data reads them all), in ${formatDuration(durationMs)}`,
    )
    return lines
  }
  const rate = `${formatByteSize(durationMs === 0 ? 0 : (read.bytes / durationMs) * 1000)}/s`
  const share = report.share < 1 ? `a random ${report.share * 100}% of ${packs}: ` : ''
  const inside = report.namesOnly ? '' : `, ${read.chunkCount} chunks verified`
  lines.push(
    `  read ${share}${read.packCount} packs with ${formatByteSize(read.bytes)}${inside}, in ${formatDuration(durationMs)} (${rate})`,
  )
  return lines
}

function problemLines(problem: Problem): string[] {
  return ['', `${problem.code}: ${problem.message}`, ...pointLines(problem), `  ${problem.advice}`]
}

function pointLines({ points, lostCount, code }: Problem): string[] {
  if (points.length === 0) return []
  const shown = points.slice(0, POINTS_SHOWN_MAX).map((id) => id.slice(0, 12))
  const more = points.length > shown.length ? ` and ${points.length - shown.length} more` : ''
  const what =
    lostCount > 0 || code === 'POINT_DAMAGED'
      ? 'hurts points'
      : 'hurts no point yet, but it is the only copy for'
  return [`  ${what} ${shown.join(', ')}${more}`]
}

function fenceLine(fence: CheckReport['fence']): string {
  const { packIds, failure } = fence
  const packs = packIds.length === 1 ? '1 pack' : `${packIds.length} packs`
  if (failure === null) return `Fenced off ${packs}: the next backup stores anew what it finds of them.`
  return `${packs} could not be fenced off, so that the next backup may rely on them: ${failure}`
}
