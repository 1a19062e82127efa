import type { ObjectLedger } from '../../src/domain/ledger.ts'
import type { PointObject, RecoveryPoint, StoredPoint } from '../../src/domain/recovery-point.ts'

const OBJECT_LEDGER: ObjectLedger = {
  requestedMode: 'full',
  doneMode: 'full',
  allocatedBytes: 1_048_576,
  freeBytes: null,
  volumes: [],
  readBytes: 1_048_576,
  zeroBytes: 65_536,
  changedBytes: 983_040,
  newChunkCount: 15,
  reusedChunkCount: 0,
  listedBytes: null,
  witnesses: null,
  rotationNext: 0,
}

const OBJECT: PointObject = {
  name: 'data',
  kind: 'volume',
  sizeBytes: 2_097_152,
  root: { nodeId: 'ab'.repeat(32), chunkCount: 15 },
  source: { path: '/images/data', type: 'file', identity: null },
  ledger: OBJECT_LEDGER,
}

/** A point in memory, for tests that read points and store nothing. */
export function samplePoint(
  id: string,
  change: Partial<RecoveryPoint> & { readonly object?: Partial<PointObject> } = {},
): StoredPoint {
  const { object, ...point } = change
  return {
    id: id.padEnd(64, '0'),
    point: {
      lineage: 'data',
      createdAt: '2026-11-22T16:51:00.000Z',
      tags: [],
      objects: [{ ...OBJECT, ...object }],
      ledger: {
        startedAt: '2026-11-22T16:50:57.000Z',
        durationMs: 3000,
        icecoreVersion: '0.1.0',
        host: 'host',
        basePointId: null,
        requested: { mode: 'full', transport: 'local' },
        done: { mode: 'full', transport: 'local' },
        degraded: [],
        storedBytes: 524_288,
        freeze: null,
      },
      ...point,
    },
  }
}
