import type { ChangeList } from '../../capture/change-list.ts'
import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import type { StoredPoint } from '../../domain/recovery-point.ts'
import type { ChosenProvider } from '../../host/choose-provider.ts'
import { isFreezing } from '../../host/provider-name.ts'
import { startSpareThreads } from '../../lane/lane-threads.ts'
import { backUp, type BackUpRequest } from '../../mover/back-up.ts'
import type { LeftOutCache } from '../../stores/left-out/left-out-cache.ts'
import { asWriter } from '../as-writer.ts'
import { backUpParts } from '../back-up-parts.ts'
import { backupReport } from '../backup-report.ts'
import { BaseLook } from '../base-look.ts'
import { chooseBase, type ChosenBase } from '../choose-base.ts'
import type { BACKUP } from '../commands/backup.ts'
import { noticeDamagedPoints } from '../damaged-points.ts'
import { dryRunReport } from '../dry-run-report.ts'
import { ExitCode } from '../exit-code.ts'
import { requireFitting } from '../fitting-options.ts'
import { chooseProviders } from '../freeze/choose-providers.ts'
import { findChanges } from '../freeze/find-changes.ts'
import { keepImages } from '../freeze/keep-images.ts'
import { openQuietSources, type QuietSources } from '../freeze/quiet-sources.ts'
import type { CommandResult, InvocationOf } from '../invocation.ts'
import { laneCount } from '../lane-count.ts'
import type { NamedSource } from '../open-backup-sources.ts'
import {
  leftOutCache,
  openUnlocked,
  withIndex,
  type IndexedRepository,
  type UnlockedRepository,
} from '../open-repository.ts'
import { paceOf } from '../pace-of-run.ts'
import { planStill } from '../plan-still.ts'
import { planVolumes, type PlannedSources } from '../planned-sources.ts'
import { readChangeListFile } from '../read-change-list-file.ts'
import { lineageOf } from '../run-lineage.ts'
import { knownShortcomings, modeOf } from '../run-shortcomings.ts'

type BackupInvocation = InvocationOf<typeof BACKUP>

export async function runBackup(invocation: BackupInvocation): Promise<CommandResult> {
  const { options } = invocation
  requireFitting(invocation)
  const isHere = options.agent === undefined
  const chosen = isHere ? await chooseProviders(invocation) : []
  const freezes = chosen.some(({ provider }) => isFreezing(provider))
  // What somebody else has frozen is looked at before a password is asked for; what icecore freezes, after it.
  await using stack = new AsyncDisposableStack()
  const early = freezes || !isHere ? null : stack.use(await openQuietSources(invocation, chosen, null))
  const prepare = (): void => {
    stack.use(startSpareThreads(laneCount(invocation)))
    preloadReaders(options)
  }
  if (isHere) prepare()
  else preload(import('../agent-source/open-agent-sources.ts'))
  const writerId = invocation.randomness.bytes(8).toHex()
  await using unlocked = await openUnlocked(invocation, { writerId })
  const chosenBase = await chooseBase(unlocked.repository, {
    choice: options.base,
    lineage: lineageOf(invocation),
  })
  if (!options.dryRun) await paceOf(invocation, undefined)?.untilHours(invocation.signal)
  const leftOut = leftOutCache(unlocked, invocation)
  await using baseLook = new BaseLook({
    base: chosenBase.base,
    leftOut,
    open: () => withIndex(unlocked, invocation.settings.cacheFolder),
    signal: invocation.signal,
  })
  const against = { unlocked, chosenBase, baseLook }
  const sources = early ?? stack.use(await openFrozenSources(invocation, { ...against, chosen, prepare }))
  const changes = await changeListOf(invocation, sources.sources)
  const what = { ...against, sources, changes }
  if (options.dryRun) return await dryRun(invocation, what)
  const stored = await asWriter(unlocked.store, { writerId, clock: invocation.clock }, async (storing) => {
    const point = await store(invocation, { ...what, leftOut, writerId }, storing)
    await keepImages(invocation, sources, point)
    return point
  })
  const { json, text } = backupReport(stored)
  return { json, text, exitCode: stored.point.ledger.degraded.length > 0 ? ExitCode.Degraded : ExitCode.Done }
}

/** What a run works on. */
type RunSubject = {
  readonly unlocked: UnlockedRepository
  readonly sources: QuietSources
  readonly changes: ChangeList | null
  readonly chosenBase: ChosenBase
  readonly baseLook: BaseLook
}

async function openFrozenSources(
  invocation: BackupInvocation,
  what: Pick<RunSubject, 'unlocked' | 'chosenBase' | 'baseLook'> & {
    readonly chosen: readonly ChosenProvider[]
    readonly prepare: () => void
  },
): Promise<QuietSources> {
  const repositoryId = what.unlocked.repository.config.id
  if (invocation.options.agent === undefined)
    return await openQuietSources(invocation, what.chosen, repositoryId)
  const { base, damaged } = what.chosenBase
  const { openAgentSources } = await import('../agent-source/open-agent-sources.ts')
  const basePointId = damaged.length > 0 ? null : (base?.id ?? null)
  const whileWaiting = (): void => {
    what.prepare()
    if (basePointId !== null && invocation.options.paths.length === 0) what.baseLook.begin()
  }
  return await openAgentSources(invocation, { repositoryId, basePointId, whileWaiting })
}

async function store(
  invocation: BackupInvocation,
  what: RunSubject & { readonly leftOut: LeftOutCache; readonly writerId: string },
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

async function dryRun(invocation: BackupInvocation, what: RunSubject): Promise<CommandResult> {
  await using repository = await withIndex(what.unlocked, invocation.settings.cacheFolder)
  const run = await planRun(invocation, { ...what, repository })
  await using _planned = run.planned
  return await dryRunReport(invocation, repository, run.request)
}

async function planRun(
  invocation: BackupInvocation,
  what: RunSubject & { readonly repository: IndexedRepository },
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
      ? await (await import('../plan-file-sets.ts')).planFileSets(parts, sources, { paths, base })
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

/** Loads what reads partitions and file systems. */
function preloadReaders({ whole, paths }: BackupInvocation['options']): void {
  if (whole) return
  preload(paths.length > 0 ? import('../plan-file-sets.ts') : import('../map-sources.ts'))
}

/** While the password is turned into a key, or an agent freezes; who uses it hears of a failure. */
function preload(loading: Promise<unknown>): void {
  loading.catch(() => {})
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
