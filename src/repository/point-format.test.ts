import assert from 'node:assert/strict'
import { test } from 'node:test'

import { samplePoint } from '../../test/support/sample-point.ts'
import type { RecoveryPoint } from '../domain/recovery-point.ts'
import { encodePoint, parsePoint } from './point-format.ts'

const { point } = samplePoint('ab', {
  tags: ['nightly', 'naïve'],
  object: {
    source: {
      path: '/dev/vg/data',
      type: 'device',
      identity: { name: null, sizeBytes: 9, sectorSizeBytes: 512 },
    },
  },
})

function edited(edit: (value: Record<string, unknown>) => void): Uint8Array {
  const value: Record<string, unknown> = JSON.parse(Buffer.from(encodePoint(point)).toString())
  edit(value)
  return Buffer.from(JSON.stringify(value))
}

test('parsePoint() undoes encodePoint()', () => {
  assert.deepEqual(parsePoint(encodePoint(point)), point)
  const [object] = point.objects
  assert(object !== undefined)
  const witnesses = {
    candidateCount: 1000,
    count: 10,
    mismatchCount: 0,
    rotatingCount: 5,
    missProbability: { lostShare: 0.01, probability: 0.9043 },
  }
  const other: RecoveryPoint = {
    ...point,
    objects: [
      {
        ...object,
        root: { nodeId: null, chunkCount: 0 },
        ledger: { ...object.ledger, witnesses, listedBytes: 7 },
      },
    ],
    ledger: {
      ...point.ledger,
      basePointId: 'cd'.repeat(32),
      degraded: [{ code: 'CHANGE_LIST_REFUTED', message: 'The change list is wrong' }],
      freeze: {
        hooks: [
          {
            stage: 'before-freeze',
            program: '/etc/icecore/quiesce',
            durationMs: 120,
            exitCode: null,
            failure: 'it did not end within 60 s',
            output: 'waiting\n',
          },
        ],
        mountPoints: ['/home'],
        windowMs: 31,
      },
    },
  }
  assert.deepEqual(parsePoint(encodePoint(other)), other)
})

test('parsePoint() ignores fields that it does not know', () => {
  assert.deepEqual(parsePoint(edited((value) => (value['later'] = { any: 1 }))), point)
})

test('parsePoint() refuses another version, missing fields and values that cannot be, and names the field', () => {
  const cases: readonly (readonly [string, (value: Record<string, unknown>) => void])[] = [
    ['version', (value) => (value['version'] = 2)],
    ['lineage', (value) => (value['lineage'] = '')],
    ['createdAt', (value) => (value['createdAt'] = 'today')],
    ['tags', (value) => delete value['tags']],
    ['objects', (value) => (value['objects'] = [])],
    ['objects.0.sizeBytes', (value) => (value['objects'] = [{ ...point.objects[0], sizeBytes: -1 }])],
    ['objects.0.sizeBytes', (value) => (value['objects'] = [{ ...point.objects[0], sizeBytes: 2 ** 53 }])],
    [
      'objects.0.root.nodeId',
      (value) => (value['objects'] = [{ ...point.objects[0], root: { nodeId: 'ab', chunkCount: 1 } }]),
    ],
    ['ledger.freeze', (value) => (value['ledger'] = { ...point.ledger, freeze: undefined })],
    [
      'ledger.freeze.hooks',
      (value) =>
        (value['ledger'] = { ...point.ledger, freeze: { hooks: {}, mountPoints: [], windowMs: null } }),
    ],
    ['ledger.durationMs', (value) => (value['ledger'] = { ...point.ledger, durationMs: 0.5 })],
    [
      'ledger.degraded.0.code',
      (value) => (value['ledger'] = { ...point.ledger, degraded: [{ code: 'X', message: '' }] }),
    ],
  ]
  for (const [field, edit] of cases) {
    const escaped = field.replaceAll('.', String.raw`\.`)
    assert.throws(() => parsePoint(edited(edit)), {
      name: 'SyntaxError',
      message: new RegExp(`^field ${escaped}`),
    })
  }
  assert.throws(() => parsePoint(Buffer.from('{')), SyntaxError)
  assert.throws(() => parsePoint(Buffer.from('null')), SyntaxError)
})
