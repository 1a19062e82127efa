import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import { listPoints, removePoints, type Points } from '../../repository/points.ts'
import {
  applyRetention,
  RETENTION_PARTS,
  type KeepReason,
  type RetentionRule,
} from '../../repository/retention.ts'
import { selectRemoval, type Removal } from '../../repository/select-removal.ts'
import type { FORGET } from '../commands/forget.ts'
import { noticeDamagedPoints } from '../damaged-points.ts'
import { ExitCode } from '../exit-code.ts'
import { forgetReport, type Verdict } from '../forget-report.ts'
import type { CommandResult, InvocationOf } from '../invocation.ts'
import { openUnlocked } from '../open-repository.ts'
import { usageFailure } from '../usage-failure.ts'

type ForgetInvocation = InvocationOf<typeof FORGET>

/** Removes points: the ones that are named, or the ones that no part of a rule keeps. */
export async function runForget(invocation: ForgetInvocation): Promise<CommandResult> {
  const { options, signal, progress, terminal } = invocation
  const rule = ruleOf(invocation)
  await using opened = await openUnlocked(invocation)
  const found = await listPoints(opened.repository)
  const verdicts = rule === null ? named(invocation, found) : judged(invocation, found, rule)
  const removed = verdicts.filter((verdict) => verdict.reasons.length === 0)
  signal.throwIfAborted()
  if (!options.dryRun) {
    const ids = removed.map((verdict) => verdict.removal.id)
    await removePoints(opened.repository, ids)
  }
  // A rule cannot judge what it cannot read: it was not applied to every point there is.
  const isPartial = rule !== null && found.damaged.length > 0
  if (isPartial) noticeDamagedPoints(found.damaged, progress)
  const { json, text } = forgetReport(verdicts, { dryRun: options.dryRun, paint: terminal.output.paint })
  return { json, text, exitCode: isPartial ? ExitCode.Degraded : ExitCode.Done }
}

const wrong = (reason: string): BackupError => usageFailure('icecore forget', reason)

/** Null when points are named instead. Throws USAGE_WRONG for both, for neither, and for a rule that keeps nothing. */
function ruleOf({ options, arguments: { points } }: ForgetInvocation): RetentionRule | null {
  const given = {
    last: options.keepLast,
    hourly: options.keepHourly,
    daily: options.keepDaily,
    weekly: options.keepWeekly,
    monthly: options.keepMonthly,
    yearly: options.keepYearly,
  }
  const rule: RetentionRule = Object.fromEntries(
    Object.entries(given).filter(([, count]) => count !== undefined),
  )
  const isRule = Object.keys(rule).length > 0
  if (isRule && points.length > 0) {
    throw wrong('points and a rule are given, required is either points or --keep options')
  }
  if (!isRule && points.length === 0)
    throw wrong('neither points nor a rule is given, required is one of them')
  if (!isRule && options.lineage !== undefined) throw wrong('--lineage is given, and no --keep option')
  if (isRule && RETENTION_PARTS.every((part) => (rule[part] ?? 0) === 0)) {
    throw wrong('the rule keeps nothing, required is a --keep option above 0')
  }
  return isRule ? rule : null
}

function named(invocation: ForgetInvocation, found: Points): Verdict[] {
  const removals = new Map<string, Removal>()
  for (const selector of invocation.arguments.points) {
    const removal = selectRemoval(found, selector)
    removals.set(removal.id, removal)
  }
  return [...removals.values()].map((removal) => ({ removal, reasons: [] }))
}

function judged(invocation: ForgetInvocation, { points }: Points, rule: RetentionRule): Verdict[] {
  const { lineage } = invocation.options
  const wanted = points.filter(({ point }) => lineage === undefined || point.lineage === lineage)
  if (lineage !== undefined && wanted.length === 0) {
    const message = `Cannot apply the rule to lineage "${lineage}": the repository has no point of it`
    throw new BackupError(ErrorCode.PointMissing, message, { data: { lineage } })
  }
  return applyRetention(wanted, rule).map(({ stored, reasons }) => ({
    removal: stored,
    reasons: reasons.map(reasonText),
  }))
}

/** `daily 2026-11-22`, `last`. */
function reasonText({ part, period }: KeepReason): string {
  if (part === 'newest') return 'newest of its lineage'
  return period === null ? part : `${part} ${period}`
}
