import type { ChangeList } from '../capture/change-list.ts'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import type { StoredPoint } from '../domain/recovery-point.ts'
import { backUp, type BackUpRequest } from '../mover/back-up.ts'
import type { LeftOutCache } from '../stores/left-out/left-out-cache.ts'
import { asWriter } from './as-writer.ts'
import { backUpParts } from './back-up-parts.ts'
import { backupReport } from './backup-report.ts'
import type { BaseLook } from './base-look.ts'
import type { ChosenBase } from './choose-base.ts'
import type { BACKUP } from './commands/backup.ts'
import { noticeDamagedPoints } from './damaged-points.ts'
import { dryRunReport } from './dry-run-report.ts'
import { ExitCode } from './exit-code.ts'
import { findChanges } from './freeze/find-changes.ts'
import { keepImages } from './freeze/keep-images.ts'
import type { QuietSources } from './freeze/quiet-sources.ts'
import type { CommandResult, InvocationOf } from './invocation.ts'
import type { NamedSource } from './open-backup-sources.ts'
import { withIndex, type IndexedRepository, type UnlockedRepository } from './open-repository.ts'
import { paceOf } from './pace-of-run.ts'
import { planStill } from './plan-still.ts'
import { planVolumes, type PlannedSources } from './planned-sources.ts'
import { readChangeListFile } from './read-change-list-file.ts'
import { lineageOf } from './run-lineage.ts'
import { knownShortcomings, modeOf } from './run-shortcomings.ts'

type BackupInvocation = InvocationOf<typeof BACKUP>

/** What a run works on. */
export type RunSubject = {
  readonly unlocked: UnlockedRepository
  readonly sources: QuietSources
  readonly chosenBase: ChosenBase
  readonly baseLook: BaseLook
  readonly leftOut: LeftOutCache
  readonly writerId: string
}

/** The same, and the list that says what changed, where there is one. */
type ListedSubject = RunSubject & { readonly changes: ChangeList | null }

/** Makes a recovery point of sources that are open, or says what it would do. */
export async function backUpSources(
  invocation: BackupInvocation,
  subject: RunSubject,
): Promise<CommandResult> {
  const { unlocked, sources, writerId } = subject
  const what = { ...subject, changes: await changeListOf(invocation, sources.sources) }
  if (invocation.options.dryRun) return await dryRun(invocation, what)
  const stored = await asWriter(unlocked.store, { writerId, clock: invocation.clock }, async (storing) => {
    const point = await store(invocation, what, storing)
    await keepImages(invocation, sources, point)
    return point
  })
  const { json, text } = backupReport(stored)
  return { json, text, exitCode: stored.point.ledger.degraded.length > 0 ? ExitCode.Degraded : ExitCode.Done }
}

async function store(
  invocation: BackupInvocation,
  what: ListedSubject,
  storing: () => void,
): Promise<StoredPoint> {
  const { unlocked, sources, writerId } = what
  // Images that had to be given up end the run as its user would.
  const held = { ...invocation, signal: AbortSignal.any([invocation.signal, sources.lost]) }
  await using repository = await withIndex(unlocked, invocation.settings.cacheFolder)
  const run = await planRun(held, { ...what, repository })
  await using planned = run.planned
  await sources.handOver()
  storing()
  const pace = paceOf(invocation, sources.load)
  const { lanesMax } = sources
  const parts = backUpParts(held, { repository, addresses: planned.addresses, writerId, lanesMax, pace })
  const point = await backUp(
    parts,
    pace === null ? run.request : { ...run.request, pace: () => pace.record() },
  )
  await what.leftOut.put(point.id, run.planned.leftOut, run.request.base?.id ?? null)
  return point
}

async function dryRun(invocation: BackupInvocation, what: ListedSubject): Promise<CommandResult> {
  await using repository = await withIndex(what.unlocked, invocation.settings.cacheFolder)
  const run = await planRun(invocation, { ...what, repository })
  await using _planned = run.planned
  return await dryRunReport(invocation, repository, run.request)
}

async function planRun(
  invocation: BackupInvocation,
  what: ListedSubject & { readonly repository: IndexedRepository },
): Promise<{ readonly request: BackUpRequest; readonly planned: PlannedSources }> {
  const { options } = invocation
  const { repository, sources, changes, chosenBase, baseLook } = what
  const { base, damaged } = chosenBase
  const lineage = lineageOf(invocation)
  noticeDamagedPoints(damaged, invocation.progress)
  const known = { list: changes, base: damaged.length > 0 ? null : base }
  const changed = await findChanges(sources.sources, known, invocation.signal)
  const isListAwaited = changes !== null || options.bitmap !== undefined
  const basis = {
    hasBase: base !== null,
    hasList: isListAwaited || changed.bySource.size > 0,
    isListAwaited,
    damagedCount: damaged.length,
  }
  const parts = { repository, progress: invocation.progress, signal: invocation.signal }
  const { whole, allowMounted, paths } = options
  const plan = async (): Promise<PlannedSources> =>
    paths.length > 0
      ? await (await import('./plan-file-sets.ts')).planFileSets(parts, sources, { paths, base })
      : await planVolumes(parts, sources, { changes: changed.bySource, baseLook, whole, allowMounted })
  const planned = await planStill(sources, plan, invocation.signal)
  const request = {
    lineage,
    tags: options.tags,
    sources: planned.sources,
    base,
    mode: modeOf({ ...basis, fullRead: options.fullRead }),
    transport: sources.transport.done,
    requestedTransport: sources.transport.requested,
    options: { witnessCount: options.witnesses, rotationRuns: options.rotation },
    degraded: [...planned.degraded, ...changed.degraded, ...knownShortcomings({ ...basis, lineage })],
    freeze: sources.freeze,
  }
  return { request, planned }
}

async function changeListOf(
  invocation: BackupInvocation,
  opened: readonly NamedSource[],
): Promise<ChangeList | null> {
  const { changes } = invocation.options
  if (changes === undefined) return null
  const [source, ...others] = opened
  if (source === undefined || others.length > 0) {
    const message = `Cannot use change list "${changes}": it describes one image, found ${opened.length} sources`
    throw new BackupError(ErrorCode.UsageWrong, message)
  }
  return await readChangeListFile(changes, source.local.sizeBytes)
}
