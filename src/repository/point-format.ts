import * as v from 'valibot'
import { DegradedCode } from '../domain/ledger.ts'
import type { RecoveryPoint } from '../domain/recovery-point.ts'
import { TRANSPORTS } from '../domain/run-mode.ts'
import { instantSchema } from './instant-schema.ts'

/**
 * The body of a recovery point: JSON in UTF-8 with a version. Readers ignore fields that they do not know, so
 * that later versions can add some; what a reader must understand raises the version.
 */
const POINT_VERSION = 1
/** A point of a thousand objects is a tenth of this. */
export const POINT_SIZE_MAX = 16 * 1024 * 1024

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1))
const text = v.pipe(v.string(), v.maxLength(4096))
const id = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))
const mode = v.picklist(['full', 'incremental', 'compared'])
const way = v.object({ mode, transport: v.picklist(TRANSPORTS) })

const objectLedger = v.object({
  requestedMode: mode,
  doneMode: mode,
  allocatedBytes: count,
  freeBytes: v.nullable(count),
  volumes: v.pipe(
    v.array(v.object({ name: text, format: text, reason: v.nullable(text) })),
    v.maxLength(10_000),
  ),
  readBytes: count,
  zeroBytes: count,
  changedBytes: count,
  newChunkCount: count,
  reusedChunkCount: count,
  listedBytes: v.nullable(count),
  witnesses: v.nullable(
    v.object({
      candidateCount: count,
      count,
      mismatchCount: count,
      rotatingCount: count,
      missProbability: v.object({ lostShare: share, probability: share }),
    }),
  ),
  image: v.exactOptional(
    v.object({
      provider: text,
      id: text,
      source: text,
      windowMs: v.nullable(count),
      movedBytes: count,
      agentHost: v.exactOptional(text),
      challengeCount: v.exactOptional(count),
    }),
  ),
  rotationNext: count,
})

const pointObject = v.object({
  name: v.pipe(text, v.minLength(1)),
  kind: v.picklist(['volume', 'files']),
  sizeBytes: v.pipe(count, v.minValue(1)),
  root: v.object({ nodeId: v.nullable(id), chunkCount: count }),
  source: v.object({
    path: text,
    type: v.picklist(['file', 'device']),
    identity: v.nullable(v.object({ name: v.nullable(text), sizeBytes: count, sectorSizeBytes: count })),
  }),
  ledger: objectLedger,
})

const hook = v.object({
  stage: v.picklist(['before-freeze', 'after-thaw']),
  program: text,
  durationMs: count,
  exitCode: v.nullable(count),
  failure: v.nullable(text),
  output: text,
})

const schema = v.object({
  version: v.literal(POINT_VERSION),
  lineage: v.pipe(text, v.minLength(1)),
  createdAt: instantSchema,
  tags: v.pipe(v.array(text), v.maxLength(1000)),
  objects: v.pipe(v.array(pointObject), v.minLength(1), v.maxLength(10_000)),
  ledger: v.object({
    startedAt: instantSchema,
    durationMs: count,
    icecoreVersion: text,
    host: text,
    basePointId: v.nullable(id),
    requested: way,
    done: way,
    degraded: v.array(v.object({ code: v.enum(DegradedCode), message: text })),
    storedBytes: count,
    freeze: v.nullable(
      v.object({
        hooks: v.pipe(v.array(hook), v.maxLength(1000)),
        mountPoints: v.pipe(v.array(text), v.maxLength(1000)),
        windowMs: v.nullable(count),
      }),
    ),
    pace: v.exactOptional(
      v.object({
        latencyMaxMs: v.nullable(count),
        slowdownCount: count,
        latencySeenMs: v.nullable(count),
        rateBytes: v.nullable(count),
        waitedMs: count,
      }),
    ),
  }),
})

export function encodePoint(point: RecoveryPoint): Uint8Array {
  return Buffer.from(JSON.stringify({ version: POINT_VERSION, ...point }))
}

/** Throws SyntaxError that names the field. */
export function parsePoint(body: Uint8Array): RecoveryPoint {
  const value: unknown = JSON.parse(Buffer.from(body).toString('utf8'))
  const result = v.safeParse(schema, value)
  if (!result.success) {
    const issue = result.issues[0]
    throw new SyntaxError(`field ${v.getDotPath(issue) ?? '(top)'}: ${issue.message}`)
  }
  const { version: _version, ...point } = result.output
  return point
}
