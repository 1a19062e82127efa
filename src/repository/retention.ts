import type { StoredPoint } from '../domain/recovery-point.ts'

/**
 * Which points a rule keeps. A rule is applied to each lineage by itself, from the newest point back: `last: 3`
 * keeps the three newest, `daily: 7` the newest of each of the last seven days that have a point, and so on for
 * hours, ISO weeks (they begin on a Monday), months and years. What any part of the rule keeps stays.
 *
 * Hours, days, weeks, months and years are those of UTC, so that the same rule gives the same answer on every
 * host, and a day always has 24 hours. The newest point of a lineage is kept by every rule.
 */
export type RetentionRule = Partial<Readonly<Record<RetentionPart, number>>>

export const RETENTION_PARTS = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const
export type RetentionPart = (typeof RETENTION_PARTS)[number]

/** Why a point is kept: `period` is the hour, day, week, month or year that it stands for; null for `last`. */
export type KeepReason =
  | { readonly part: RetentionPart; readonly period: string | null }
  /** No part of the rule keeps a point of the lineage, and this is its newest. */
  | { readonly part: 'newest'; readonly period: null }

export type RetentionVerdict = {
  readonly stored: StoredPoint
  /** Empty: the rule does not keep it. */
  readonly reasons: readonly KeepReason[]
}

/** A verdict for each point, in the order of `points`, which may be of several lineages and in any order. */
export function applyRetention(points: readonly StoredPoint[], rule: RetentionRule): RetentionVerdict[] {
  const reasons = new Map<StoredPoint, KeepReason[]>()
  const lineages = Map.groupBy(points, (stored) => stored.point.lineage)
  for (const lineage of lineages.values()) {
    const newestFirst = lineage.toSorted(byAge)
    for (const part of RETENTION_PARTS) keepBy(part, { newestFirst, rule, reasons })
    const [newest] = newestFirst
    if (newest !== undefined && !newestFirst.some((stored) => reasons.has(stored))) {
      reasons.set(newest, [{ part: 'newest', period: null }])
    }
  }
  return points.map((stored) => ({ stored, reasons: reasons.get(stored) ?? [] }))
}

function keepBy(
  part: RetentionPart,
  pass: {
    readonly newestFirst: readonly StoredPoint[]
    readonly rule: RetentionRule
    readonly reasons: Map<StoredPoint, KeepReason[]>
  },
): void {
  let left = pass.rule[part] ?? 0
  const seen = new Set<string>()
  for (const stored of pass.newestFirst) {
    if (left <= 0) return
    const period = periodOf(stored.point.createdAt, part)
    if (period !== null && seen.has(period)) continue
    if (period !== null) seen.add(period)
    left -= 1
    const known = pass.reasons.get(stored)
    if (known === undefined) pass.reasons.set(stored, [{ part, period }])
    else known.push({ part, period })
  }
}

/** Points of one moment are told apart by their ids, so that every host keeps the same one. */
function byAge(a: StoredPoint, b: StoredPoint): number {
  const [atA, atB] = [a, b].map((stored) => Temporal.Instant.from(stored.point.createdAt))
  const order = atA === undefined || atB === undefined ? 0 : Temporal.Instant.compare(atB, atA)
  return order === 0 ? b.id.localeCompare(a.id) : order
}

/** `2026-11-22 17:00`, `2026-11-22`, `2026-W47`, `2026-11`, `2026`. */
function periodOf(createdAt: string, part: RetentionPart): string | null {
  const at = Temporal.Instant.from(createdAt).toZonedDateTimeISO('UTC')
  const date = at.toPlainDate()
  switch (part) {
    case 'last':
      return null
    case 'hourly':
      return `${date.toString()} ${twoDigits(at.hour)}:00`
    case 'daily':
      return date.toString()
    case 'weekly':
      // The first days of January may belong to the last week of the year before.
      return `${at.yearOfWeek ?? at.year}-W${twoDigits(at.weekOfYear ?? 0)}`
    case 'monthly':
      return date.toPlainYearMonth().toString()
    case 'yearly':
      return String(at.year)
  }
}

function twoDigits(value: number): string {
  return value.toString().padStart(2, '0')
}
