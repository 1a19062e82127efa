import type { Row, RunRecord } from './bench.ts'
import type { DataManifest } from './data/data-set.ts'
import type { Machine } from './machine.ts'
import { median } from './statistics.ts'
import { renderTable } from './table.ts'

export type Report = {
  readonly machine: Machine
  readonly data: DataManifest
  readonly repeatCount: number
  readonly rows: readonly Row[]
  readonly runs: readonly RunRecord[]
}

/** What the figures are of, before they are there. */
export function renderHeader(report: Pick<Report, 'machine' | 'data' | 'repeatCount'>): string {
  const { machine, data, repeatCount } = report
  const parts = data.parts.map((part) => [part.name, megabytes(part.sizeBytes), part.origin])
  return [
    `${machine.cpu}, ${machine.cpuCount} CPUs, ${megabytes(machine.memoryBytes)} MB of memory, kernel ${machine.kernel}`,
    machine.tools.join(', '),
    `Load average of the last minute: ${machine.loadAverage.toFixed(2)} (what else runs here disturbs the figures)`,
    '',
    `The volume: ext4, ${megabytes(data.sizeBytes)} MB, of which ${megabytes(data.allocatedBytes)} MB allocated; seed ${data.seed}`,
    renderTable(['part', 'MB', 'from'], parts, new Set([1])),
    `The change: ${data.changeCount} writes, ${megabytes(data.changedBytes)} MB`,
    '',
    `Each pair ${repeatCount} times in turn: ours, the peer, ours, the peer. The image, and the repository before a`,
    'restore or check, is read through before each run (warm page cache), and dirty pages are written (sync).',
    'Each program syncs what it writes as it does by default: icecore all of it, zstd, partclone and qemu-img nothing.',
  ].join('\n')
}

/** The two tables: what each program needed, and what was measured beside what is asked. */
export function renderReport(report: Report): string {
  return [
    'Medians of the runs (MB are 1e6 bytes)',
    renderRuns(report.runs),
    '',
    'Measured and asked (ratios are medians over the pairs)',
    renderRows(report.rows.filter((row) => row.isCurve !== true)),
    ...renderCurve(report.rows.filter((row) => row.isCurve === true)),
    ...notesOf(report.runs),
  ].join('\n')
}

function renderRuns(runs: readonly RunRecord[]): string {
  const groups = Map.groupBy(runs, (run) => `${run.scenario}\0${run.program}`)
  const body = [...groups.values()].map((group) => {
    const first = group[0]
    const of = (value: (run: RunRecord) => number): number => median(group.map(value))
    const sizeOf = (value: (run: RunRecord) => number | undefined): string =>
      first === undefined || value(first) === undefined
        ? ''
        : megabytes(of((run) => value(run) ?? Number.NaN))
    return [
      first?.scenario ?? '',
      first?.program ?? '',
      String(group.length),
      seconds(of((run) => run.wallMs)),
      `${seconds(Math.min(...group.map((run) => run.wallMs)))}–${seconds(Math.max(...group.map((run) => run.wallMs)))}`,
      seconds(of((run) => run.cpuMs)),
      megabytes(of((run) => run.peakMemoryBytes)),
      sizeOf((run) => run.storedBytes),
      sizeOf((run) => run.addedBytes),
    ]
  })
  const head = ['scenario', 'program', 'n', 'wall s', 'from–to', 'CPU s', 'peak MB', 'stored MB', 'added MB']
  return renderTable(head, body, new Set([2, 3, 4, 5, 6, 7, 8]))
}

function renderRows(rows: readonly Row[]): string {
  const body = rows.map((row) => [row.work, row.against, row.quantity, measuredOf(row), row.asked])
  return renderTable(['work', 'against', 'quantity', 'measured', 'asked'], body, new Set([3]))
}

function renderCurve(rows: readonly Row[]): string[] {
  if (rows.length === 0) return []
  const quantities = [...new Set(rows.map((row) => row.quantity))]
  const lines = [...Map.groupBy(rows, (row) => row.work)].map(([work, points]) => [
    work,
    ...quantities.map((quantity) => {
      const point = points.find((row) => row.quantity === quantity)
      return point === undefined ? '' : measuredOf(point)
    }),
  ])
  return ['', renderTable(['', ...quantities], lines, new Set(quantities.map((_, index) => index + 1)))]
}

function measuredOf(row: Row): string {
  if (row.measured === undefined) return 'not measured'
  switch (row.unit) {
    case 'x':
      return `${row.measured.toFixed(2)}x`
    case 'share':
      return row.measured.toFixed(3)
    case 's':
      return `${row.measured.toFixed(2)} s`
    case 'bytes':
      return `${megabytes(row.measured)} MB`
    case 'bytes each':
      return `${row.measured.toFixed(row.measured < 100 ? 1 : 0)} B`
  }
}

function notesOf(runs: readonly RunRecord[]): string[] {
  const notes = runs
    .filter((run) => run.note !== undefined)
    .map((run) => `${run.scenario}, ${run.program}: ${run.note}`)
  return notes.length === 0 ? [] : ['', 'Notes', ...new Set(notes)]
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(2)
}

function megabytes(bytes: number): string {
  const value = bytes / 1e6
  return value.toFixed(value < 10 ? 2 : 0)
}
