import { formatByteSize } from '../domain/byte-size.ts'
import { formatDuration } from '../domain/duration.ts'
import type { PaceRecord } from '../domain/ledger.ts'
import type { PointObject, StoredPoint } from '../domain/recovery-point.ts'
import { freezeLines } from './freeze-lines.ts'
import { freeLines } from './free-lines.ts'
import { frozenBy } from './freeze/frozen-by.ts'

/** What `backup` says of the point that it made. The JSON is part of the command line's contract. */
export function backupReport({ id, point }: StoredPoint): { readonly json: unknown; readonly text: string } {
  const { ledger } = point
  const json = {
    pointId: id,
    lineage: point.lineage,
    basePointId: ledger.basePointId,
    objects: point.objects.map(objectJson),
    storedBytes: ledger.storedBytes,
    durationMs: ledger.durationMs,
    requested: ledger.requested,
    done: ledger.done,
    degraded: ledger.degraded,
    freeze: ledger.freeze,
    pace: ledger.pace ?? null,
    witnesses: combinedWitnesses(point.objects),
  }
  const rate =
    ledger.durationMs === 0
      ? 0
      : (sumOf(point.objects, (one) => one.ledger.readBytes) / ledger.durationMs) * 1000
  const lines = [
    `Point ${id.slice(0, 12)} of ${point.lineage} (${ledger.done.mode})`,
    ...point.objects.flatMap(objectLines),
    `  stored ${formatByteSize(ledger.storedBytes)} in ${formatDuration(ledger.durationMs)}, read at ${formatByteSize(rate)}/s`,
    ...freezeLines(ledger.freeze),
    ...paceLines(ledger.pace),
    ...ledger.degraded.map((one) => `  degraded (${one.code}): ${one.message}`),
  ]
  return { json, text: lines.join('\n') }
}

function paceLines(pace: PaceRecord | undefined): string[] {
  if (pace === undefined) return []
  const slow =
    pace.slowdownCount === 0
      ? ''
      : `, slowed down ${pace.slowdownCount} times for disks that were slow to answer`
  return [`  held back: waited ${formatDuration(pace.waitedMs)}${slow}`]
}

function objectJson(object: PointObject): unknown {
  const { ledger } = object
  return {
    name: object.name,
    kind: object.kind,
    sizeBytes: object.sizeBytes,
    allocatedBytes: ledger.allocatedBytes,
    freeBytes: ledger.freeBytes,
    volumes: ledger.volumes,
    readBytes: ledger.readBytes,
    zeroBytes: ledger.zeroBytes,
    changedBytes: ledger.changedBytes,
    newChunkCount: ledger.newChunkCount,
    reusedChunkCount: ledger.reusedChunkCount,
    mode: ledger.doneMode,
    listedBytes: ledger.listedBytes,
    witnesses: ledger.witnesses,
    image: ledger.image ?? null,
  }
}

function objectLines(object: PointObject): string[] {
  const { ledger } = object
  const read = `  ${object.name}: ${formatByteSize(object.sizeBytes)}, read ${formatByteSize(ledger.readBytes)}, changed ${formatByteSize(ledger.changedBytes)}`
  const chunks = `    ${ledger.newChunkCount} chunks new, ${ledger.reusedChunkCount} known, ${formatByteSize(ledger.zeroBytes)} zero`
  const frozen = ledger.image === undefined ? [] : [`    froze ${frozenBy(ledger.image)}`]
  const mapped = [...freeLines(ledger), ...frozen]
  if (ledger.witnesses === null) return [read, chunks, ...mapped]
  const { count, rotatingCount, mismatchCount, missProbability } = ledger.witnesses
  const chance = `${(missProbability.probability * 100).toFixed(1)}%`
  const found = mismatchCount === 0 ? 'none differed' : `${mismatchCount} DIFFERED`
  const tested = `    tested ${count} witnesses and a rotating share of ${rotatingCount} chunks: ${found}`
  return [
    read,
    chunks,
    ...mapped,
    tested,
    `    a list that had lost ${missProbability.lostShare * 100}% would have slipped by with a chance of ${chance}`,
  ]
}

/** One object has its own; of several the weakest is what the run can claim. */
function combinedWitnesses(objects: readonly PointObject[]): unknown {
  const records = objects.map((object) => object.ledger.witnesses).filter((record) => record !== null)
  const [first, ...others] = records
  if (first === undefined) return null
  const weakest = others.reduce(
    (least, record) =>
      record.missProbability.probability > least.missProbability.probability ? record : least,
    first,
  )
  return {
    count: sumOf(records, (record) => record.count),
    mismatchCount: sumOf(records, (record) => record.mismatchCount),
    missProbability: weakest.missProbability,
  }
}

function sumOf<T>(items: readonly T[], valueOf: (item: T) => number): number {
  return items.reduce((sum, item) => sum + valueOf(item), 0)
}
