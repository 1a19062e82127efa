import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import type { ChangeList } from '../../capture/change-list.ts'
import { lineageKeyOf } from '../../capture/provider/lineage-key.ts'
import { BackupError, ErrorCode, isBackupError } from '../../domain/backup-error.ts'
import { DegradedCode, type Degraded, type FreezeRecord } from '../../domain/ledger.ts'
import type { StoredPoint } from '../../domain/recovery-point.ts'
import type { RunMode, Transport } from '../../domain/run-mode.ts'
import { portableReason } from '../../lane/choose-codec.ts'
import type { SourceAddress } from '../../lane/lane-messages.ts'
import { startSpareThreads } from '../../lane/lane-threads.ts'
import { sealThreads } from '../../lane/seal-threads.ts'
import { backUp, type BackUpParts, type BackUpRequest } from '../../mover/back-up.ts'
import type { IndexSegment } from '../../repository/index-segment.ts'
import { isNbdUri } from '../../nbd/nbd-uri.ts'
import { listPoints, type DamagedPoint } from '../../repository/points.ts'
import { selectSoundPoint } from '../../repository/select-point.ts'
import type { LocalIndex } from '../../stores/local-index/local-index.ts'
import { asWriter } from '../as-writer.ts'
import { backupReport } from '../backup-report.ts'
import type { BACKUP } from '../commands/backup.ts'
import { noticeDamagedPoints } from '../damaged-points.ts'
import { defaultLineage } from '../default-lineage.ts'
import { ExitCode } from '../exit-code.ts'
import type { ChosenProvider } from '../../host/choose-provider.ts'
import { findChanges } from '../freeze/find-changes.ts'
import type { FrozenSources } from '../freeze/frozen-sources.ts'
import { isFreezing } from '../../host/provider-name.ts'
import type { CommandResult, InvocationOf } from '../invocation.ts'
import { laneCount } from '../lane-count.ts'
import {
  openUnlocked,
  withIndex,
  type IndexedRepository,
  type UnlockedRepository,
} from '../open-repository.ts'
import { openBackupSources, type NamedSource, type OpenSources } from '../open-backup-sources.ts'
import { tlsFilesOf } from '../open-source.ts'
import { planVolumes, type PlannedSources } from '../planned-sources.ts'
import { readChangeListFile } from '../read-change-list-file.ts'
import { dryRunReport } from '../dry-run-report.ts'
import { runWithHooks } from '../run-hooks.ts'
import { VERSION } from '../version.ts'

type BackupInvocation = InvocationOf<typeof BACKUP>

export async function runBackup(invocation: BackupInvocation): Promise<CommandResult> {
  const { options } = invocation
  requireFitting(invocation)
  const chosen = await chooseProviders(invocation)
  const freezes = chosen.some(({ provider }) => isFreezing(provider))
  // What somebody else has frozen is looked at before a password is asked for; what icecore freezes, after it.
  await using stack = new AsyncDisposableStack()
  const early = freezes ? null : stack.use(await openQuietSources(invocation, chosen, null))
  await using _spares = startSpareThreads(laneCount(invocation))
  preloadReaders(options)
  const writerId = invocation.randomness.bytes(8).toHex()
  await using unlocked = await openUnlocked(invocation, { writerId })
  const { config } = unlocked.repository
  const sources = early ?? stack.use(await openQuietSources(invocation, chosen, config.id))
  const changes = await changeListOf(invocation, sources.sources)
  if (options.dryRun) return await dryRun(invocation, { unlocked, sources, changes })
  const stored = await asWriter(unlocked.store, { writerId, clock: invocation.clock }, async (storing) => {
    // Images that had to be given up end the run as its user would.
    const held = { ...invocation, signal: AbortSignal.any([invocation.signal, sources.lost]) }
    await using repository = await withIndex(unlocked, invocation.settings.cacheFolder)
    const run = await planRun(held, { repository, sources, changes })
    await using planned = run.planned
    await sources.handOver()
    storing()
    const parts = backUpParts(held, {
      repository,
      addresses: planned.addresses,
      writerId,
      lanesMax: sources.lanesMax,
    })
    const point = await backUp(parts, run.request)
    await keepImages(invocation, sources, point)
    return point
  })
  const { json, text } = backupReport(stored)
  return { json, text, exitCode: stored.point.ledger.degraded.length > 0 ? ExitCode.Degraded : ExitCode.Done }
}

async function chooseProviders({
  options,
  arguments: { sources },
  signal,
}: BackupInvocation): Promise<readonly ChosenProvider[]> {
  const { chooseProvider } = await import('../../host/choose-provider.ts')
  const chosen: ChosenProvider[] = []
  for (const source of sources) chosen.push(await chooseProvider(source, options, signal))
  return chosen
}

async function freeze(
  { clock, randomness, progress, options, ...invocation }: BackupInvocation,
  what: {
    chosen: readonly ChosenProvider[]
    repositoryId: string
    signal: AbortSignal
    whenFrozen: () => Promise<void>
  },
): Promise<FrozenSources> {
  const { chosen, repositoryId, signal, whenFrozen } = what
  for (const { argument, provider, why } of chosen) {
    if (isFreezing(provider))
      progress({ event: 'notice', message: `Freezing ${argument} by ${provider}: ${why}` })
  }
  const { freezeSources } = await import('../freeze/frozen-sources.ts')
  const lineage = lineageOf({ clock, randomness, progress, options, ...invocation })
  const lineageKey = lineageKeyOf({ repositoryId, lineage, sha256 })
  return await freezeSources(chosen, { clock, randomness, lineageKey, signal, whenFrozen })
}

function sha256(text: string): Uint8Array {
  return createHash('sha256').update(text).digest()
}

/** The point is there, whatever becomes of its images: the next run then compares. */
async function keepImages(
  { progress, signal }: BackupInvocation,
  sources: OpenSources,
  { id }: StoredPoint,
): Promise<void> {
  try {
    await sources.keep(id, signal)
  } catch (error) {
    if (!isBackupError(error)) throw error
    progress({
      event: 'notice',
      message: `The frozen image was not kept, the next run will compare: ${error.message}`,
    })
  }
}

/** The sources, and how they were brought to rest. */
type QuietSources = OpenSources & { readonly freeze: FreezeRecord | null }

/** Somebody else has frozen them, perhaps a program before the freeze: to open them is all that is left to do. */
async function openQuietSources(
  invocation: BackupInvocation,
  chosen: readonly ChosenProvider[],
  repositoryId: string | null,
): Promise<QuietSources> {
  const { allowMounted, bitmap, dryRun: isDryRun } = invocation.options
  const how = { allowMounted, bitmap, tlsFiles: tlsFilesOf(invocation.options), signal: invocation.signal }
  const sources = chosen.map(({ argument, provider, source }) => (isFreezing(provider) ? argument : source))
  const open = async (signal: AbortSignal, letGo: () => Promise<void>): Promise<OpenSources> => {
    // What nobody here freezes stands still by the grace of the hooks until it is open.
    const whenFrozen = chosen.every(({ provider }) => isFreezing(provider)) ? letGo : nothing
    const what = { chosen, repositoryId: repositoryId ?? '', signal, whenFrozen }
    const frozen = repositoryId === null ? null : await freeze(invocation, what)
    return await openBackupSources(sources, { ...how, frozen })
  }
  if (isDryRun) return { ...(await open(invocation.signal, nothing)), freeze: null }
  const window = { lineage: lineageOf(invocation), mountPoints: [] }
  const { frozen, record, degraded } = await runWithHooks(invocation, window, open)
  return { ...frozen, degraded: [...frozen.degraded, ...degraded], freeze: record }
}

function nothing(): Promise<void> {
  return Promise.resolve()
}

async function dryRun(
  invocation: BackupInvocation,
  what: { unlocked: UnlockedRepository; sources: QuietSources; changes: ChangeList | null },
): Promise<CommandResult> {
  await using repository = await withIndex(what.unlocked, invocation.settings.cacheFolder)
  const run = await planRun(invocation, { ...what, repository })
  await using _planned = run.planned
  return await dryRunReport(invocation, repository, run.request)
}

async function planRun(
  invocation: BackupInvocation,
  what: { repository: IndexedRepository; sources: QuietSources; changes: ChangeList | null },
): Promise<{ readonly request: BackUpRequest; readonly planned: PlannedSources }> {
  const { options } = invocation
  const { repository, sources, changes } = what
  const lineage = lineageOf(invocation)
  const { base, damaged } = await chooseBase(invocation, repository, lineage)
  noticeDamagedPoints(damaged, invocation.progress)
  const known = { list: changes, base: damaged.length > 0 ? null : base }
  const changed = await findChanges(sources.sources, known, invocation.signal)
  const isListAwaited = changes !== null || options.bitmap !== undefined
  const found = {
    hasBase: base !== null,
    hasList: isListAwaited || changed.bySource.size > 0,
    isListAwaited,
    damagedCount: damaged.length,
  }
  const parts = { repository, progress: invocation.progress, signal: invocation.signal }
  const { whole, allowMounted, paths } = options
  const planned =
    paths.length > 0
      ? await (await import('../plan-file-sets.ts')).planFileSets(parts, sources, { paths, base })
      : await planVolumes(parts, sources, { changes: changed.bySource, base, whole, allowMounted })
  const request = {
    lineage,
    tags: options.tags,
    sources: planned.sources,
    base,
    mode: modeOf({ ...found, fullRead: options.fullRead }),
    transport: transportOf(sources),
    options: { witnessCount: options.witnesses, rotationRuns: options.rotation },
    degraded: [...planned.degraded, ...changed.degraded, ...knownShortcomings({ ...found, lineage })],
    freeze: sources.freeze,
  }
  return { request, planned }
}

/** Loads what reads partitions and file systems while the password is turned into a key; who uses it hears of a failure. */
function preloadReaders({ whole, paths }: BackupInvocation['options']): void {
  if (whole) return
  const loading = paths.length > 0 ? import('../plan-file-sets.ts') : import('../map-sources.ts')
  loading.catch(() => {})
}

/** What a point can say of its lineage. */
const LINEAGE_LENGTH_MAX = 4096

function lineageOf({ options, arguments: { sources } }: BackupInvocation): string {
  if (options.name !== undefined) return options.name
  const paths = options.paths.length === 0 ? '' : `:${options.paths.map(({ text }) => text).join('+')}`
  const lineage = `${defaultLineage(sources, hostname())}${paths}`
  if (lineage.length <= LINEAGE_LENGTH_MAX) return lineage
  const message = `Cannot name the lineage after its sources: they have ${lineage.length} characters, required is --name`
  throw new BackupError(ErrorCode.UsageWrong, message)
}

function requireFitting({ options, arguments: { sources } }: BackupInvocation): void {
  const finding = unfitPaths(options) ?? unfitBitmap(options, sources)
  if (finding === null) return
  throw new BackupError(ErrorCode.UsageWrong, `Cannot use ${finding}`, {
    data: { command: 'icecore backup' },
  })
}

/** Files have no list of what changed of their image: it is laid out by this program. */
function unfitPaths({ paths, changes, bitmap, whole }: BackupInvocation['options']): string | null {
  if (paths.length === 0) return null
  const unfit =
    changes !== undefined ? '--changes' : bitmap !== undefined ? '--bitmap' : whole ? '--whole' : null
  return unfit === null ? null : `${unfit} with --path: it is for whole volumes`
}

function unfitBitmap(
  { bitmap, changes }: BackupInvocation['options'],
  sources: readonly string[],
): string | null {
  if (bitmap === undefined) return null
  if (changes !== undefined) return '--bitmap with --changes: either of them says what changed'
  const other = sources.find((source) => !isNbdUri(source))
  return other === undefined ? null : `--bitmap with "${other}": it is for exports of NBD servers`
}

function transportOf({ sources }: OpenSources): Transport {
  return sources.some(({ local }) => 'uri' in local.address) ? 'nbd' : 'local'
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

/** The point to compare with: of this lineage, unless the user names another. */
async function chooseBase(
  invocation: BackupInvocation,
  repository: IndexedRepository,
  lineage: string,
): Promise<{ readonly base: StoredPoint | null; readonly damaged: readonly DamagedPoint[] }> {
  const { base } = invocation.options
  if (base.kind === 'none') return { base: null, damaged: [] }
  const found = await listPoints(repository.repository)
  if (base.kind === 'point') return { base: selectSoundPoint(found, base.reference), damaged: [] }
  const latest = found.points.findLast((stored) => stored.point.lineage === lineage)
  return { base: latest ?? null, damaged: found.damaged }
}

type Found = {
  readonly hasBase: boolean
  readonly hasList: boolean
  /** The user asked for what a list or a bitmap says. */
  readonly isListAwaited: boolean
  /** Points that cannot be read: one of them may be the base that was meant. */
  readonly damagedCount: number
}

/** A list says what changed since the latest point; when that may be one that cannot be read, it proves nothing. */
function modeOf(found: Found & { readonly fullRead: boolean }): RunMode {
  if (found.hasList && !found.fullRead && found.damagedCount === 0) return 'incremental'
  return found.hasBase ? 'compared' : 'full'
}

function knownShortcomings(found: Found & { readonly lineage: string }): Degraded[] {
  const degraded: Degraded[] = []
  const reason = portableReason()
  if (reason !== null) {
    const message = `The fast codec was not used, because ${reason}; everything is the same but slower`
    degraded.push({ code: DegradedCode.PortableCodec, message })
  }
  if (found.damagedCount > 0) {
    const instead = found.isListAwaited ? '; everything was read, whatever the change list says' : ''
    const message = `The base was chosen without ${found.damagedCount} points that are damaged${instead}`
    degraded.push({ code: DegradedCode.BaseUnusable, message })
  }
  if (found.isListAwaited && !found.hasBase) {
    const message = `Lineage "${found.lineage}" has no point that the change list could refer to; everything was read`
    degraded.push({ code: DegradedCode.BaseMissing, message })
  }
  return degraded
}

/** The next command need not read what this run wrote; where the copy cannot be kept, it will. */
function adoptSegment(local: LocalIndex, id: string, segment: IndexSegment): void {
  try {
    local.add(id, segment)
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error
  }
}

function backUpParts(
  invocation: BackupInvocation,
  run: {
    repository: IndexedRepository
    addresses: readonly SourceAddress[]
    writerId: string
    lanesMax: number | null
  },
): BackUpParts {
  const { repository, index, locator, nodes, laneSetUp } = run.repository
  const { clock, randomness, progress, signal } = invocation
  return {
    repository,
    index: {
      locate: (id) => locator.locate(id),
      isReusable: (location) => locator.isReusable(location),
      hasCondemned: locator.hasCondemned,
      unindexed: index.unindexed,
      damagedSegments: index.damagedSegments,
      adopt: (id, segment) => adoptSegment(index.local, id, segment),
    },
    reader: nodes,
    writerId: run.writerId,
    openLanes: (known, onPack) =>
      sealThreads(
        Math.min(laneCount(invocation), run.lanesMax ?? Infinity),
        { ...laneSetUp, work: 'seal', known, sources: run.addresses },
        onPack,
      ),
    about: { host: hostname(), icecoreVersion: VERSION },
    clock,
    randomness,
    progress,
    signal,
  }
}
