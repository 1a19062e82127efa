import * as v from 'valibot'

/** What the demo reads of the documents that commands print with --json: it knows no more than a script does. */

const COUNT = v.pipe(v.number(), v.minValue(0))
const DEGRADED = v.array(v.object({ code: v.string(), message: v.string() }))
const WITNESSES = v.object({
  candidateCount: COUNT,
  count: COUNT,
  rotatingCount: COUNT,
  mismatchCount: COUNT,
  missProbability: v.object({ lostShare: COUNT, probability: COUNT }),
})
const OBJECT = v.object({
  sizeBytes: COUNT,
  allocatedBytes: COUNT,
  freeBytes: v.nullable(COUNT),
  readBytes: COUNT,
  zeroBytes: COUNT,
  changedBytes: COUNT,
  newChunkCount: COUNT,
  reusedChunkCount: COUNT,
  witnesses: v.nullable(WITNESSES),
})
const BACKUP_REPORT = v.object({
  pointId: v.string(),
  objects: v.tuple([OBJECT]),
  storedBytes: COUNT,
  done: v.object({ mode: v.string() }),
  degraded: DEGRADED,
})
const INIT_REPORT = v.object({ chunkSizeBytes: COUNT, compression: v.object({ algorithm: v.string() }) })
const RESTORE_REPORT = v.object({ sizeBytes: COUNT, writtenBytes: COUNT })
const DIFF_REPORT = v.array(v.object({ offset: COUNT, length: COUNT }))
const FILE_CHANGES = v.object({
  changes: v.array(
    v.object({
      path: v.string(),
      previousPath: v.optional(v.string()),
      kind: v.string(),
      change: v.string(),
    }),
  ),
})
const MAP_REPORT = v.object({ volumes: v.tuple([v.object({ usedBytes: COUNT, freeBytes: COUNT })]) })
const EXTRACT_REPORT = v.object({ problems: v.array(v.object({ message: v.string() })) })
const CHECK_REPORT = v.object({
  ok: v.boolean(),
  checkedPackCount: COUNT,
  checkedChunkCount: COUNT,
  readBytes: COUNT,
  problems: v.array(v.object({ code: v.string(), message: v.string() })),
})

export type WitnessReport = v.InferOutput<typeof WITNESSES>
export type BackupReport = Omit<v.InferOutput<typeof BACKUP_REPORT>, 'objects'> & {
  readonly object: v.InferOutput<typeof OBJECT>
}
export type CheckReport = v.InferOutput<typeof CHECK_REPORT>

export function parseBackupReport(json: unknown): BackupReport {
  const { objects, ...report } = v.parse(BACKUP_REPORT, json)
  return { ...report, object: objects[0] }
}

export function parseInitReport(json: unknown): v.InferOutput<typeof INIT_REPORT> {
  return v.parse(INIT_REPORT, json)
}

export function parseRestoreReport(json: unknown): v.InferOutput<typeof RESTORE_REPORT> {
  return v.parse(RESTORE_REPORT, json)
}

export function parseDiffReport(json: unknown): v.InferOutput<typeof DIFF_REPORT> {
  return v.parse(DIFF_REPORT, json)
}

export function parseFileChanges(json: unknown): v.InferOutput<typeof FILE_CHANGES>['changes'] {
  return v.parse(FILE_CHANGES, json).changes
}

export function parseMapReport(json: unknown): v.InferOutput<typeof MAP_REPORT>['volumes'][0] {
  return v.parse(MAP_REPORT, json).volumes[0]
}

export function parseExtractReport(json: unknown): v.InferOutput<typeof EXTRACT_REPORT> {
  return v.parse(EXTRACT_REPORT, json)
}

export function parseCheckReport(json: unknown): CheckReport {
  return v.parse(CHECK_REPORT, json)
}
