import { BackupError, ErrorCode, isBackupError } from '../domain/backup-error.ts'

import { DegradedCode, type Degraded, type ObjectLedger } from '../domain/ledger.ts'
import type { ProgressListener } from '../domain/progress.ts'
import type { Randomness } from '../domain/randomness.ts'
import type { PointObject } from '../domain/recovery-point.ts'
import type { RunMode } from '../domain/run-mode.ts'
import type { NodeReader } from '../repository/node-reader.ts'
import type { NodeSink, TreeBase } from '../repository/tree-writer.ts'
import { treeShape, type TreeShape } from '../repository/tree-shape.ts'
import type { BackupSource } from './backup-source.ts'
import { planObject, type ObjectPlan, type PlanInput } from './plan-object.ts'
import { ChangeListRefuted, runObject, type ObjectOutcome } from './run-object.ts'
import type { SealLanes } from './seal-lanes.ts'
import { missProbability, STATED_LOST_SHARE } from './witnesses.ts'

export type BackUpOptions = {
  readonly witnessCount: number
  readonly rotationRuns: number
}

/** What is needed to back one object up. */
export type ObjectTask = {
  /** The number of the source in the lanes. */
  readonly number: number
  readonly source: BackupSource
  /** The same object in the base point, or null. */
  readonly base: PointObject | null
  readonly requestedMode: RunMode
}

/** The parts of the run that every object shares. */
export type RunParts = {
  readonly lanes: SealLanes
  readonly nodes: NodeSink
  readonly reader: NodeReader
  /** Called before an image whose base cannot be read is stored anew: nothing new may refer to what is damaged. */
  readonly giveUpBase: (cause: BackupError) => Promise<void>
  /** True when packs are given up: a comparison, which reads everything, then stores anew what lies in them. */
  readonly hasCondemned: boolean
  readonly chunkSizeBytes: number
  readonly options: BackUpOptions
  readonly randomness: Randomness
  readonly progress: ProgressListener
  readonly signal: AbortSignal
}

export type BackedUpObject = { readonly object: PointObject; readonly degraded: readonly Degraded[] }

/** Backs one image up, in the mode that was asked for or, when that cannot be trusted, in a slower one. */
export async function backUpObject(parts: RunParts, task: ObjectTask): Promise<BackedUpObject> {
  const { source } = task
  const before = await source.fingerprint()
  const shape = treeShape({ sizeBytes: source.sizeBytes, chunkSizeBytes: parts.chunkSizeBytes })
  const challengedBefore = await challenged(parts, source)
  const attempt = await firstThatHolds(parts, { ...task, shape })
  const challengeCount = challengedBefore + (await challenged(parts, source))
  await requireUnchanged(source, before)
  const ledger = ledgerOf(task, attempt, challengeCount)
  const { name, kind, path, type, identity, sizeBytes } = source
  return {
    object: {
      name,
      kind,
      sizeBytes,
      root: attempt.outcome.root,
      source: { path, type, identity },
      ledger,
    },
    degraded: attempt.degraded,
  }
}

type ShapedTask = ObjectTask & { readonly shape: TreeShape }

type Attempt = {
  readonly plan: ObjectPlan
  readonly outcome: ObjectOutcome
  readonly shape: TreeShape
  /** Witnesses that differed, in the attempt that was thrown away. */
  readonly refuted: { readonly plan: ObjectPlan; readonly mismatchCount: number } | null
  readonly degraded: readonly Degraded[]
}

/** What the reader of a base's tree says when the repository, and not its store, is at fault. */
const BASE_UNUSABLE = [ErrorCode.ChunkMissing, ErrorCode.ChunkDamaged, ErrorCode.RepositoryDamaged]

/** Incremental, then compared, then full: each is tried only when the one before cannot be trusted. */
async function firstThatHolds(parts: RunParts, task: ShapedTask): Promise<Attempt> {
  const { shape } = task
  const base = task.base === null ? null : baseTree(parts, task.base)
  const degraded: Degraded[] = []
  let refuted: Attempt['refuted'] = null
  try {
    if (task.requestedMode === 'incremental' && base !== null) {
      if (parts.options.witnessCount === 0) degraded.push(witnessesOff(task))
      const plan = await planObject(planInput(parts, task, { mode: 'incremental', base }))
      try {
        return { plan, outcome: await runPlan(parts, task, { plan, base }), shape, refuted, degraded }
      } catch (error) {
        if (!(error instanceof ChangeListRefuted)) throw error
        refuted = { plan, mismatchCount: error.mismatchCount }
        degraded.push(listRefuted(task, error))
        parts.progress({ event: 'notice', message: degraded.at(-1)?.message ?? '' })
      }
    }
    const mode = base === null ? 'full' : 'compared'
    const plan = await planObject(planInput(parts, task, { mode, base }))
    return { plan, outcome: await runPlan(parts, task, { plan, base }), shape, refuted, degraded }
  } catch (error) {
    if (base === null || !isBackupError(error, ...BASE_UNUSABLE)) throw error
    await parts.giveUpBase(error)
    degraded.push(baseUnusable(task, error))
    parts.progress({ event: 'notice', message: degraded.at(-1)?.message ?? '' })
    const plan = await planObject(planInput(parts, task, { mode: 'full', base: null }))
    return { plan, outcome: await runPlan(parts, task, { plan, base: null }), shape, refuted, degraded }
  }
}

function baseTree(parts: RunParts, base: PointObject): TreeBase {
  const shape = treeShape({ sizeBytes: base.sizeBytes, chunkSizeBytes: parts.chunkSizeBytes })
  return { root: base.root, shape, nodes: parts.reader }
}

function planInput(
  parts: RunParts,
  task: ShapedTask,
  how: { mode: RunMode; base: TreeBase | null },
): PlanInput {
  const { witnessCount, rotationRuns } = parts.options
  const { randomness, signal } = parts
  const rotationStart = task.base?.ledger.rotationNext ?? 0
  return {
    ...how,
    source: task.source,
    shape: task.shape,
    witnessCount,
    rotationRuns,
    rotationStart,
    randomness,
    signal,
  }
}

async function runPlan(
  parts: RunParts,
  task: ShapedTask,
  how: { plan: ObjectPlan; base: TreeBase | null },
): Promise<ObjectOutcome> {
  const { lanes, nodes, signal, progress } = parts
  const totalBytes = how.plan.plannedReadBytes
  progress({ event: 'phase', phase: `${PHASE[how.plan.mode]} ${task.source.name}`, totalBytes })
  let doneBytes = 0
  const onLeaf = (readBytes: number): void => {
    doneBytes += readBytes
    // What moved while it was read is read again, on top of what was planned.
    progress({ event: 'bytes', doneBytes, totalBytes: Math.max(totalBytes, doneBytes) })
  }
  const { leaves } = how.plan
  return await runObject({
    source: task.number,
    shape: task.shape,
    base: how.base,
    leaves,
    lanes,
    nodes,
    rewritesTree: parts.hasCondemned && how.plan.mode === 'compared',
    identify: task.source.identify ?? null,
    onLeaf,
    signal,
  })
}

const PHASE: Readonly<Record<RunMode, string>> = {
  full: 'Reading',
  incremental: 'Reading changes of',
  compared: 'Comparing',
}

/** A device is a claim: what is read of it is compared with what its owner reads. */
async function challenged({ signal }: RunParts, { challenge }: BackupSource): Promise<number> {
  return challenge === undefined ? 0 : await challenge(signal)
}

async function requireUnchanged(source: BackupSource, before: string): Promise<void> {
  if ((await source.fingerprint()) === before) return
  const message = `Cannot back up "${source.path}": it was written to while it was read, a backup needs an image that is frozen`
  throw new BackupError(ErrorCode.SourceChanged, message, { data: { path: source.path } })
}

function ledgerOf(task: ObjectTask, attempt: Attempt, challengeCount: number): ObjectLedger {
  const { plan, outcome, shape } = attempt
  return {
    requestedMode: task.requestedMode,
    doneMode: plan.mode,
    allocatedBytes: plan.allocatedBytes,
    freeBytes: task.source.freeBytes,
    volumes: task.source.volumes,
    readBytes: outcome.readBytes,
    zeroBytes: outcome.zeroBytes,
    changedBytes: Math.min(outcome.changedChunkCount * shape.chunkSizeBytes, shape.sizeBytes),
    newChunkCount: outcome.newChunkCount,
    reusedChunkCount: outcome.reusedChunkCount,
    listedBytes: attempt.refuted?.plan.listedBytes ?? plan.listedBytes,
    witnesses: witnessRecord(attempt),
    ...imageOf(task.source, { movedBytes: outcome.movedBytes, challengeCount }),
    rotationNext: plan.rotationNext,
  }
}

function imageOf(
  { image, challenge }: BackupSource,
  { movedBytes, challengeCount }: { readonly movedBytes: number; readonly challengeCount: number },
): Pick<ObjectLedger, 'image'> {
  if (image === undefined) return {}
  return { image: { ...image, movedBytes, ...(challenge === undefined ? {} : { challengeCount }) } }
}

function witnessRecord(attempt: Attempt): ObjectLedger['witnesses'] {
  const drawn = attempt.refuted?.plan.witnesses ?? attempt.plan.witnesses
  if (drawn === null) return null
  const lostCount = Math.ceil(drawn.candidateCount * STATED_LOST_SHARE)
  const probability = missProbability({
    candidateCount: drawn.candidateCount,
    witnessCount: drawn.count,
    lostCount,
  })
  return {
    ...drawn,
    mismatchCount: attempt.refuted?.mismatchCount ?? 0,
    missProbability: { lostShare: STATED_LOST_SHARE, probability },
  }
}

function witnessesOff(task: ObjectTask): Degraded {
  const message = `The change list of "${task.source.name}" was believed without a witness, because --witnesses 0 was asked for`
  return { code: DegradedCode.WitnessesOff, message }
}

function listRefuted(task: ObjectTask, refuted: ChangeListRefuted): Degraded {
  const found = `the chunk at offset ${refuted.offsetBytes} is not in it and differs from the base`
  const message = `The change list of "${task.source.name}" is wrong: ${found}; the whole image was compared instead`
  return { code: DegradedCode.ChangeListRefuted, message }
}

function baseUnusable(task: ObjectTask, cause: BackupError): Degraded {
  const message = `The base of "${task.source.name}" cannot be read, everything was read and stored anew: ${cause.message}`
  return { code: DegradedCode.BaseUnusable, message }
}
