import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { samplePoint } from '../../test/support/sample-point.ts'
import type { StoredPoint } from '../domain/recovery-point.ts'
import { applyRetention, RETENTION_PARTS, type RetentionRule } from './retention.ts'

const at = (id: string, createdAt: string, lineage = 'data'): StoredPoint =>
  samplePoint(id, { createdAt, lineage })
const keptIds = (points: readonly StoredPoint[], rule: RetentionRule): string[] =>
  applyRetention(points, rule)
    .filter((verdict) => verdict.reasons.length > 0)
    .map((verdict) => verdict.stored.id.slice(0, 2))

test('applyRetention() keeps the newest of each period, and only periods that have a point count', () => {
  const points = [
    at('a1', '2026-11-01T10:00:00Z'),
    at('a2', '2026-11-01T22:00:00Z'),
    at('a3', '2026-11-09T08:00:00Z'),
    at('a4', '2026-11-20T08:00:00Z'),
    at('a5', '2026-11-20T08:59:59Z'),
  ]
  assert.deepEqual(keptIds(points, { daily: 2 }), ['a3', 'a5'])
  assert.deepEqual(keptIds(points, { daily: 3 }), ['a2', 'a3', 'a5'])
  assert.deepEqual(keptIds(points, { hourly: 2 }), ['a3', 'a5'])
  assert.deepEqual(keptIds(points, { last: 2 }), ['a4', 'a5'])
  assert.deepEqual(keptIds(points, { monthly: 5 }), ['a5'])
})

test('applyRetention() counts ISO weeks over the turn of a year', () => {
  const points = [
    at('b1', '2026-12-27T12:00:00Z'), // Sunday of week 52
    at('b2', '2026-12-28T12:00:00Z'), // Monday of week 53
    at('b3', '2027-01-03T12:00:00Z'), // Sunday of week 53
    at('b4', '2027-01-04T12:00:00Z'), // Monday of week 1
  ]
  const verdicts = applyRetention(points, { weekly: 9 })
  assert.deepEqual(
    verdicts.map((verdict) => verdict.reasons.map((reason) => reason.period)),
    [['2026-W52'], [], ['2026-W53'], ['2027-W01']],
  )
})

test('applyRetention() takes periods of UTC, however the time was written', () => {
  const points = [at('c1', '2026-11-21T23:30:00Z'), at('c2', '2026-11-22T01:00:00+02:00')]
  assert.deepEqual(keptIds(points, { daily: 5 }), ['c1'])
})

test('applyRetention() gives every reason, and keeps the newest of a lineage whatever the rule', () => {
  const points = [at('d1', '2026-11-22T10:00:00Z'), at('d2', '2026-11-21T10:00:00Z', 'other')]
  assert.deepEqual(
    applyRetention(points, { last: 1, yearly: 1 }).map((verdict) => verdict.reasons),
    [
      [
        { part: 'last', period: null },
        { part: 'yearly', period: '2026' },
      ],
      [
        { part: 'last', period: null },
        { part: 'yearly', period: '2026' },
      ],
    ],
  )
  assert.deepEqual(
    applyRetention(points, {}).map((verdict) => verdict.reasons),
    [[{ part: 'newest', period: null }], [{ part: 'newest', period: null }]],
  )
})

const START_MS = Temporal.Instant.from('2024-12-20T00:00:00Z').epochMilliseconds
const HOUR_MS = 3_600_000
const anyPoints = fc
  .array(fc.record({ hours: fc.nat(24 * 800), lineage: fc.constantFrom('x', 'y', 'z') }), { maxLength: 60 })
  .map((drawn) =>
    drawn.map(({ hours, lineage }, index) => {
      const createdAt = Temporal.Instant.fromEpochMilliseconds(START_MS + hours * HOUR_MS).toString()
      return at(index.toString(16).padStart(4, '0'), createdAt, lineage)
    }),
  )
const anyRule: fc.Arbitrary<RetentionRule> = fc.record(
  Object.fromEntries(RETENTION_PARTS.map((part) => [part, fc.nat(12)])),
  { requiredKeys: [] },
)

const idsOf = (points: readonly StoredPoint[], rule: RetentionRule): Set<string> =>
  new Set(
    applyRetention(points, rule)
      .filter((verdict) => verdict.reasons.length > 0)
      .map((verdict) => verdict.stored.id),
  )

test('applyRetention() keeps the newest point of each lineage', () => {
  fc.assert(
    fc.property(anyPoints, anyRule, (points, rule) => {
      const kept = idsOf(points, rule)
      for (const lineage of Map.groupBy(points, (stored) => stored.point.lineage).values()) {
        const newest = lineage
          .map((stored) => stored.point.createdAt)
          .toSorted()
          .at(-1)
        assert.ok(lineage.some((stored) => stored.point.createdAt === newest && kept.has(stored.id)))
      }
    }),
  )
})

test('applyRetention() keeps more by a larger rule, never less', () => {
  fc.assert(
    fc.property(anyPoints, anyRule, fc.constantFrom(...RETENTION_PARTS), (points, rule, part) => {
      const larger = { ...rule, [part]: (rule[part] ?? 0) + 1 }
      // Before the first part counts, the newest is kept all the same.
      assert.ok(idsOf(points, rule).isSubsetOf(idsOf(points, larger)))
    }),
  )
})

test('applyRetention() does not depend on the order of the points, nor on other lineages', () => {
  fc.assert(
    fc.property(anyPoints, anyRule, (points, rule) => {
      assert.deepEqual(idsOf(points.toReversed(), rule), idsOf(points, rule))
      const lone = points.filter((stored) => stored.point.lineage === 'x')
      const all = idsOf(points, rule)
      assert.deepEqual(
        idsOf(lone, rule),
        new Set(lone.map((stored) => stored.id).filter((id) => all.has(id))),
      )
    }),
  )
})

test('applyRetention() forgets nothing more when it is applied to what it kept', () => {
  fc.assert(
    fc.property(anyPoints, anyRule, (points, rule) => {
      const kept = idsOf(points, rule)
      const rest = points.filter((stored) => kept.has(stored.id))
      assert.deepEqual(idsOf(rest, rule), kept)
    }),
  )
})

test('applyRetention() keeps at most as many by each part as it says, one a period', () => {
  fc.assert(
    fc.property(anyPoints, anyRule, (points, rule) => {
      for (const lineage of Map.groupBy(
        applyRetention(points, rule),
        (one) => one.stored.point.lineage,
      ).values()) {
        for (const part of RETENTION_PARTS) {
          const reasons = lineage.flatMap((one) => one.reasons).filter((reason) => reason.part === part)
          assert.ok(reasons.length <= (rule[part] ?? 0))
          const periods = reasons.map((reason) => reason.period).filter((period) => period !== null)
          assert.equal(new Set(periods).size, periods.length)
        }
      }
    }),
  )
})
