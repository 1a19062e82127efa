import assert from 'node:assert/strict'
import test from 'node:test'
import { samplePoint } from '../../test/support/sample-point.ts'
import { forgetReport, type Verdict } from './forget-report.ts'

const VERDICTS: readonly Verdict[] = [
  { removal: samplePoint('aaaa'), reasons: [] },
  { removal: samplePoint('bbbb'), reasons: ['last', 'daily 2026-11-22'] },
  { removal: { id: 'cc'.repeat(32), reason: 'torn' }, reasons: [] },
]
const paint = (_style: string, text: string): string => text

test('forgetReport() says what stays and why, and what goes', () => {
  const { json, text } = forgetReport(VERDICTS, { dryRun: false, paint })
  const point = { lineage: 'data', createdAt: '2026-11-22T16:51:00.000Z' }
  assert.deepEqual(json, {
    dryRun: false,
    kept: [{ id: 'bbbb'.padEnd(64, '0'), ...point, reasons: ['last', 'daily 2026-11-22'] }],
    removed: [
      { id: 'aaaa'.padEnd(64, '0'), ...point },
      { id: 'cc'.repeat(32), lineage: null, createdAt: null },
    ],
  })
  const lines = text().split('\n')
  assert.match(lines[1] ?? '', /^remove {2}aaaa00000000 .* data$/)
  assert.match(lines[2] ?? '', /^keep {4}bbbb00000000 .* data {5}last, daily 2026-11-22$/)
  assert.match(lines[3] ?? '', /^remove {2}cccccccccccc {2}\(damaged\)$/)
  assert.equal(lines[4], '2 points removed; their chunks stay in the repository')
})

test('forgetReport() does not pretend that a dry run removed something', () => {
  const { json, text } = forgetReport(VERDICTS, { dryRun: true, paint })
  assert.partialDeepStrictEqual(json, { dryRun: true })
  assert.match(text(), /\nWould remove 2 points and keep 1; nothing was removed$/)
  assert.equal(forgetReport([], { dryRun: false, paint }).text(), 'No points removed, 0 kept')
})
