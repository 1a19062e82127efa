import assert from 'node:assert/strict'
import { test } from 'node:test'

import { FormatError, UnmappedError } from '../../../src/formats/format-error.ts'
import { readBytes } from '../../../src/images/read-bytes.ts'
import { SparseBytes, sparseImage } from '../sparse-bytes.ts'
import { complaining, type Complaint } from './complaint.ts'
import { MapJudge, RangeJudge } from './judge-ranges.ts'
import { SurveyFailure, SurveyLimit } from './survey-limit.ts'

function rangeJudge(): RangeJudge {
  const judge = new RangeJudge('it', 100)
  judge.take({ offset: 10, length: 10 })
  return judge
}

function mapJudge(): MapJudge {
  return new MapJudge('it', { offset: 5, length: 10 }, [100])
}

test('RangeJudge refuses what does not ascend, is empty, or lies beyond the end', () => {
  rangeJudge().take({ offset: 20, length: 80 })
  for (const range of [
    { offset: 19, length: 1 },
    { offset: 30, length: 0 },
    { offset: 30, length: Number.NaN },
    { offset: 90, length: 11 },
  ]) {
    assert.throws(() => rangeJudge().take(range), SurveyFailure)
  }
})

test('MapJudge refuses gaps, an early end, and what lies beyond a device', () => {
  const data = { kind: 'data', offset: 5, length: 10, device: 0, physicalOffset: 90 } as const
  const sound = mapJudge()
  sound.take(data)
  sound.end()
  assert.throws(() => mapJudge().end(), SurveyFailure)
  assert.throws(() => mapJudge().take({ ...data, offset: 6 }), SurveyFailure)
  assert.throws(() => mapJudge().take({ ...data, physicalOffset: 91 }), SurveyFailure)
  assert.throws(() => mapJudge().take({ ...data, device: 1 }), SurveyFailure)
  assert.throws(
    () => mapJudge().take({ kind: 'inline', offset: 5, length: 10, bytes: new Uint8Array(9) }),
    SurveyFailure,
  )
})

test('SurveyLimit ends what reads, steps or lasts too long', () => {
  const limits = { readCountMax: 2, stepCountMax: 10, msMax: 60_000 }
  const limit = new SurveyLimit(limits)
  limit.read()
  limit.read()
  assert.throws(() => limit.read(), /more than 2 times/)
  assert.throws(() => limit.step(11), /more than 10 steps/)
  assert.throws(
    () => new SurveyLimit({ ...limits, stepCountMax: 100, msMax: -1 }).step(64),
    /more than -1 ms/,
  )
})

test('complaining() takes the two errors of readers, and no other', async () => {
  const complaints: Complaint[] = []
  const place = { structure: 'header', offsetBytes: 7 }
  await complaining(complaints, 'p1', () => Promise.reject(new FormatError(place, 'it is odd')))
  await complaining(complaints, 'p1', () => Promise.reject(new UnmappedError('raid', 'It is a raid')))
  assert.deepEqual(
    complaints.map(({ kind, structure, offsetBytes }) => [kind, structure, offsetBytes]),
    [
      ['damage', 'header', 7],
      ['unmapped', 'raid', null],
    ],
  )
  const bug = complaining(complaints, 'p1', () => Promise.reject(new RangeError('a bug')))
  await assert.rejects(bug, { name: 'RangeError' })
})

test('SparseBytes has the bytes that were written, in copies those of the copy, and no memory for zeros', async () => {
  const sparse = new SparseBytes(1e9)
  sparse.write(new Uint8Array(100_000), 500)
  assert.equal(sparse.memoryBytes, 0)
  sparse.write(Uint8Array.of(1, 2, 3), 16_383)
  const copy = sparse.copy()
  copy.write(Uint8Array.of(9), 16_384)
  assert.deepEqual([...sparse.read(16_382, 5)], [0, 1, 2, 3, 0])
  assert.deepEqual([...copy.read(16_382, 5)], [0, 1, 9, 3, 0])
  assert.deepEqual([...(await readBytes(sparseImage(copy), 16_384, 1))], [9])
  assert.throws(() => sparse.read(1e9 - 1, 2), /read outside the image/)
})
