import assert from 'node:assert/strict'
import test from 'node:test'
import { samplePoint } from '../../test/support/sample-point.ts'
import type { StoredPoint } from '../domain/recovery-point.ts'
import { describePoint } from './point-description.ts'

const describe = (stored: StoredPoint): string =>
  describePoint(stored, { chunkSizeBytes: 65_536, paint: (_style, text) => text })

test('describePoint() shows the point, its run and its objects', () => {
  const text = describe(samplePoint('3fa9', { tags: ['weekly', 'b'] }))
  assert.match(text, /^ {2}Point {7}3fa90{60}$/m)
  assert.match(text, /^ {2}Tags {8}weekly, b$/m)
  assert.match(text, /^ {2}Made by {5}icecore 0\.1\.0 on host, in 3\.0 s$/m)
  assert.match(text, /^The run was as good as was asked for\.$/m)
  assert.match(text, /^Object data \(volume\)$/m)
  assert.match(text, /^ {2}Holds {7}960 KiB in 15 chunks, the rest zeros$/m)
  assert.doesNotMatch(text, /Witnesses|Listed|Rotation/)
})

test('describePoint() says why a run was degraded, and what was asked for', () => {
  const { point } = samplePoint('3fa9')
  const message = 'A witness differed at 65536'
  const ledger = {
    ...point.ledger,
    requested: { mode: 'incremental', transport: 'local' },
    done: { mode: 'compared', transport: 'local' },
    degraded: [{ code: 'CHANGE_LIST_REFUTED', message }],
  } as const
  const text = describe(samplePoint('3fa9', { ledger }))
  assert.match(text, /^The run was degraded:\n {2}A witness differed at 65536 \(CHANGE_LIST_REFUTED\)$/m)
  assert.match(text, /Mode {8}compared: .* \(asked for: incremental\)$/m)
  assert.doesNotMatch(text, /as good as/)
})

test('describePoint() says how the sources were brought to rest', () => {
  const { point } = samplePoint('3fa9')
  const hook = { program: '/etc/q', durationMs: 1200, exitCode: 0, failure: null, output: 'a\nb\n' }
  const freeze = {
    hooks: [
      { ...hook, stage: 'before-freeze' },
      { ...hook, stage: 'after-thaw', exitCode: 2, failure: 'it ended with exit code 2' },
    ],
    mountPoints: ['/home', '/srv'],
    windowMs: 31,
  } as const
  const text = describe(samplePoint('3fa9', { ledger: { ...point.ledger, freeze } }))
  assert.match(text, /^ {2}froze \/home, \/srv for 31 ms$/m)
  assert.match(text, /^ {2}ran \/etc\/q before the freeze in 1\.2 s$/m)
  assert.match(text, /^ {2}ran \/etc\/q after the thaw in 1\.2 s: it ended with exit code 2$/m)
})

test('describePoint() states how far the change list was tested', () => {
  const { point } = samplePoint('3fa9')
  const [object] = point.objects
  assert.ok(object)
  const witnesses = {
    candidateCount: 1000,
    count: 64,
    mismatchCount: 0,
    rotatingCount: 10,
    missProbability: { lostShare: 0.01, probability: 0.51234 },
  }
  const ledger = { ...object.ledger, listedBytes: 4096, witnesses, rotationNext: 10 }
  const text = describe(samplePoint('3fa9', { object: { ledger } }))
  assert.match(text, /64 of 1000 chunks .* and 10 in turn: all were unchanged$/m)
  assert.match(text, /leaves out 1% of the unlisted chunks goes unnoticed with a chance of 51\.2%$/m)
  assert.match(text, /goes on at chunk 10/)
  assert.match(text, /Listed {6}4\.00 KiB by the change list/)
})
