import { formatByteSize } from '../domain/byte-size.ts'
import { formatDuration } from '../domain/duration.ts'
import type { Ledger, WitnessRecord } from '../domain/ledger.ts'
import type { PointObject, StoredPoint } from '../domain/recovery-point.ts'
import type { RunMode } from '../domain/run-mode.ts'
import { freezeLines } from './freeze-lines.ts'
import { frozenBy } from './freeze/frozen-by.ts'
import { formatLocalTime } from './local-time.ts'
import { formatShare } from './share.ts'
import { shortId } from './short-id.ts'
import type { TextStream } from './terminal.ts'

type Look = { readonly chunkSizeBytes: number; readonly paint: TextStream['paint'] }
type Row = readonly [label: string, text: string]

const MODE_MEANINGS: Readonly<Record<RunMode, string>> = {
  full: 'full: everything was read and stored',
  incremental: 'incremental: what a change list named was read, and tested',
  compared: 'compared: everything was read, what differed was stored',
}

/** A point and the ledger of its run in words, for people. */
export function describePoint({ id, point }: StoredPoint, look: Look): string {
  const { ledger } = point
  const rows: Row[] = [
    ['Point', id],
    ['Lineage', point.lineage],
    ['Created', `${formatLocalTime(point.createdAt)} (${point.createdAt})`],
    ['Tags', point.tags.length === 0 ? 'none' : point.tags.join(', ')],
    ['Base', ledger.basePointId === null ? 'none' : shortId(ledger.basePointId)],
    [
      'Made by',
      `icecore ${ledger.icecoreVersion} on ${ledger.host}, in ${formatDuration(ledger.durationMs)}`,
    ],
    ['Mode', modeText(ledger.requested.mode, ledger.done.mode)],
    ['Transport', changed(ledger.requested.transport, ledger.done.transport)],
    ['Stored', `${formatByteSize(ledger.storedBytes)} added to the repository`],
  ]
  const parts = [
    rowLines(rows, look),
    degradedLines(ledger, look),
    ...freezeDescription(ledger),
    ...point.objects.map((object) => objectLines(object, look)),
  ]
  return parts.map((lines) => lines.join('\n')).join('\n\n')
}

function freezeDescription({ freeze }: Ledger): readonly (readonly string[])[] {
  const lines = freezeLines(freeze)
  return lines.length === 0 ? [] : [lines]
}

function degradedLines(ledger: Ledger, { paint }: Look): string[] {
  if (ledger.degraded.length === 0) return [paint('green', 'The run was as good as was asked for.')]
  return [
    paint('yellow', 'The run was degraded:'),
    ...ledger.degraded.map(({ code, message }) => `  ${message} (${code})`),
  ]
}

function objectLines(object: PointObject, look: Look): string[] {
  const { ledger, source } = object
  const storedBytes = Math.min(object.sizeBytes, object.root.chunkCount * look.chunkSizeBytes)
  const rows: Row[] = [
    ['Size', `${formatByteSize(object.sizeBytes)} (${object.sizeBytes} bytes)`],
    [
      'Holds',
      `${formatByteSize(storedBytes)} in ${counted(object.root.chunkCount, 'chunk')}, the rest zeros`,
    ],
    ['Source', sourceText(source)],
    ['Mode', modeText(ledger.requestedMode, ledger.doneMode)],
    ['Allocated', `${formatByteSize(ledger.allocatedBytes)} hold data`],
    ...freeRows(ledger),
    ['Read', `${formatByteSize(ledger.readBytes)}, of which ${formatByteSize(ledger.zeroBytes)} were zeros`],
    ['Changed', `${formatByteSize(ledger.changedBytes)} since the base`],
    ['Chunks', `${ledger.newChunkCount} new, ${ledger.reusedChunkCount} found in the repository`],
  ]
  if (ledger.listedBytes !== null)
    rows.push(['Listed', `${formatByteSize(ledger.listedBytes)} by the change list`])
  if (ledger.witnesses !== null) rows.push(...witnessRows(ledger.witnesses))
  if (ledger.image !== undefined) rows.push(['Frozen', frozenBy(ledger.image)])
  if (ledger.rotationNext > 0)
    rows.push(['Rotation', `goes on at chunk ${ledger.rotationNext} in the next run`])
  return [look.paint('bold', `Object ${object.name} (${object.kind})`), ...rowLines(rows, look)]
}

function freeRows({ freeBytes, volumes }: PointObject['ledger']): Row[] {
  if (freeBytes === null) return []
  const rows: Row[] = [['Free', `${formatByteSize(freeBytes)} were proven free and not read`]]
  for (const { name, format, reason } of volumes) {
    const where = name === '' ? '' : `${name}: `
    rows.push([
      'Volume',
      `${where}${format}, ${reason === null ? 'only what is in use' : `whole: ${reason}`}`,
    ])
  }
  return rows
}

function sourceText({ path, type, identity }: PointObject['source']): string {
  if (type === 'file') return `${path}, a file`
  return identity?.name == null
    ? `${path}, a device without a name of its own`
    : `${path}, device ${identity.name}`
}

function witnessRows(witnesses: WitnessRecord): Row[] {
  const { count, candidateCount, rotatingCount, mismatchCount, missProbability } = witnesses
  const tested = `${count} of ${counted(candidateCount, 'chunk')} that the list calls unchanged, drawn by lot, and ${rotatingCount} in turn`
  const found =
    mismatchCount === 0 ? 'all were unchanged' : `${mismatchCount} HAD CHANGED: the list was wrong`
  const rows: Row[] = [['Witnesses', `${tested}: ${found}`]]
  if (count > 0) {
    const { lostShare, probability } = missProbability
    rows.push([
      'Confidence',
      `a list that leaves out ${formatShare(lostShare)} of the unlisted chunks goes unnoticed with a chance of ${formatShare(probability)}`,
    ])
  }
  return rows
}

function modeText(requested: RunMode, done: RunMode): string {
  return requested === done ? MODE_MEANINGS[done] : `${MODE_MEANINGS[done]} (asked for: ${requested})`
}

function changed(requested: string, done: string): string {
  return requested === done ? done : `${done} (asked for: ${requested})`
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

const LABEL_WIDTH = 12

function rowLines(rows: readonly Row[], { paint }: Look): string[] {
  return rows.map(([label, text]) => `  ${paint('dim', label.padEnd(LABEL_WIDTH))}${text}`)
}
