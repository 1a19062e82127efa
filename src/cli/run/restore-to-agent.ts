import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import { formatByteSize } from '../../domain/byte-size.ts'
import { formatDuration } from '../../domain/duration.ts'
import { DegradedCode, type Degraded } from '../../domain/ledger.ts'
import type { PointObject, StoredPoint } from '../../domain/recovery-point.ts'
import { listPoints } from '../../repository/points.ts'
import { selectObject } from '../../repository/select-object.ts'
import { selectSoundPoint } from '../../repository/select-point.ts'
import { restoreImage } from '../../restore/restore-image.ts'
import type { RestoreLanes, RestoreOutcome } from '../../restore/restore-lanes.ts'
import type { AgentApi, TargetOfAgent } from '../../rpc/agent-api.ts'
import { agentText, type AgentAddress } from '../agent-source/agent-address.ts'
import { connectToAgent } from '../agent-source/connect.ts'
import { holdLease, LEASE_SECONDS } from '../agent-source/hold-lease.ts'
import { letGo } from '../agent-source/let-go.ts'
import { diskText, DisksToWrite } from '../agent-target/disks-to-write.ts'
import { restoreOverLan } from '../agent-target/restore-over-lan.ts'
import { restoreOverSan, type SanOutcome } from '../agent-target/restore-over-san.ts'
import { SanTarget, type SanTargetParts } from '../agent-target/san-target.ts'
import { imageOfTarget } from '../agent-target/target-image.ts'
import { noticeDamagedPoints } from '../damaged-points.ts'
import { ExitCode } from '../exit-code.ts'
import type { CommandResult } from '../invocation.ts'
import { laneCount } from '../lane-count.ts'
import { openIndexed, type IndexedRepository } from '../open-repository.ts'
import type { RestoreInvocation } from './restore.ts'

/** What is restored, and where to. */
type Task = {
  readonly invocation: RestoreInvocation
  readonly repository: IndexedRepository
  readonly object: PointObject
  readonly agent: AgentApi
  readonly host: string
  readonly target: TargetOfAgent
  /** What was begun is not what it was before, and not yet what it shall be. */
  isWriting: boolean
}

type Done = {
  readonly transport: 'san' | 'lan'
  readonly outcome: RestoreOutcome & Partial<SanOutcome>
  readonly degraded: readonly Degraded[]
}

/** Writes an object of a point to a volume of another host. */
export async function runRestoreToAgent(
  invocation: RestoreInvocation,
  address: AgentAddress,
): Promise<CommandResult> {
  const { options, clock, settings, progress, signal } = invocation
  await using repository = await openIndexed(invocation)
  const found = await listPoints(repository.repository)
  const stored = selectSoundPoint(found, invocation.arguments.point)
  noticeDamagedPoints(found.damaged, progress)
  const object = selectObject(stored, options.object)
  requireVolume(object, options.to)
  await using stack = new AsyncDisposableStack()
  const authorityFolder = options.authority ?? settings.authorityFolder
  const { agent } = stack.use(await connectToAgent({ ...invocation, authorityFolder }, address))
  const host = agentText(address)
  const order = { path: options.to, sizeBytesMin: object.sizeBytes, leaseSeconds: LEASE_SECONDS }
  const target = await agent.openTarget(order, signal)
  const { targetId, leaseSeconds } = target
  const notice = (message: string): void => progress({ event: 'notice', message })
  // One that was closed is gone already.
  stack.defer(() => letGo(agent, { what: 'the target', groupId: targetId, leaseSeconds }, notice))
  const lease = stack.use(holdLease(agent, { groupId: targetId, leaseSeconds, host, clock }))
  const task: Task = { invocation, repository, object, agent, host, target, isWriting: false }
  requireFitting(task)
  const startedAt = clock.now().getTime()
  try {
    const done = await restore(task, AbortSignal.any([signal, lease.lost]))
    await agent.closeTarget(targetId, signal)
    return report(task, { stored, done, durationMs: clock.now().getTime() - startedAt })
  } catch (error) {
    throw task.isWriting ? incomplete(task, error) : error
  }
}

/** The image of a file set is no file system that anything else could mount. */
function requireVolume(object: PointObject, to: string): void {
  if (object.kind !== 'files') return
  const message = `Cannot restore "${object.name}" to "${to}": it is a set of files, not a volume; required is \`icecore extract\` to take the files out`
  throw new BackupError(ErrorCode.TargetUnsuitable, message, { data: { object: object.name, to } })
}

/** An agent could say what it wants. */
function requireFitting({ invocation, object, host, target }: Task): void {
  const { to, yes } = invocation.options
  const { sizeBytes, devices } = target
  if (sizeBytes < object.sizeBytes) {
    const message = `Cannot restore to "${to}" of "${host}": it has ${sizeBytes} bytes, required are ${object.sizeBytes}`
    throw new BackupError(ErrorCode.TargetTooSmall, message, { data: { foundBytes: sizeBytes } })
  }
  if (yes) return
  const disks =
    devices.length === 0
      ? 'the agent alone can write it'
      : `its disks are ${devices.map(diskText).join(', ')}`
  const message = `Cannot restore to "${to}" of "${host}": it is a volume of ${sizeBytes} bytes that would be overwritten (${disks}), required is a confirmation`
  const data = { path: to, foundBytes: sizeBytes, disks: devices.map(({ name }) => name) }
  throw new BackupError(ErrorCode.TargetNotConfirmed, message, { data })
}

async function restore(task: Task, signal: AbortSignal): Promise<Done> {
  const { invocation, repository, object, agent, target } = task
  const { options, progress } = invocation
  const transport = options.transport ?? 'auto'
  const { chunkSizeBytes } = repository.repository.config
  const { sizeBytes } = object
  const work = { ...repository.laneSetUp, sizeBytes, isBlank: false, differing: options.differing }
  const how = {
    work,
    restore: (lanes: RestoreLanes, now: AbortSignal) =>
      restoreImage(
        { nodes: repository.nodes, chunkSizeBytes, lanes, isBlank: false, progress, signal: now },
        object,
      ),
    onWrite: () => {
      task.isWriting = true
    },
  }
  await using disks = new DisksToWrite(options.sanDisks)
  const san = sanParts(task, disks)
  const obstacle = transport === 'lan' ? null : await obstacleOf(san, transport, signal)
  if (transport !== 'lan' && obstacle === null) {
    const outcome = await restoreOverSan({ ...san, ...how, lanes: laneCount(invocation) }, signal)
    return { transport: 'san', outcome, degraded: [] }
  }
  const degraded: Degraded[] = []
  if (obstacle !== null) {
    const message = `The agent on "${task.host}" was sent the data and wrote it, because it cannot be written here: ${obstacle}`
    progress({ event: 'notice', message })
    degraded.push({ code: DegradedCode.TransportFallback, message })
  }
  const outcome = await restoreOverLan({ agent, targetId: target.targetId, ...how }, signal)
  return { transport: 'lan', outcome, degraded }
}

function sanParts({ invocation, object, agent, host, target }: Task, disks: DisksToWrite): SanTargetParts {
  const { options, randomness, progress } = invocation
  return {
    agent,
    host,
    disks,
    randomness,
    progress,
    image: imageOfTarget(target, options.to),
    endOffset: object.sizeBytes,
    sparse: options.sparse === 'auto',
  }
}

/** Why it cannot be written on the storage; null when it can. With `san` that is the end. */
async function obstacleOf(
  parts: SanTargetParts,
  transport: 'auto' | 'san',
  signal: AbortSignal,
): Promise<string | null> {
  try {
    await SanTarget.open(parts, signal)
    return null
  } catch (error) {
    // A disk that says something else than its owner is no reason to do it in another way, but one to look.
    const isTrouble = !(error instanceof BackupError) || error.code === ErrorCode.TargetMismatch
    if (transport === 'san' || isTrouble) throw error
    return error.message
  }
}

function incomplete({ invocation, host }: Task, error: unknown): unknown {
  if (!(error instanceof BackupError)) return error
  const message = `${error.message}; "${invocation.options.to}" of "${host}" is not complete, and has to be restored again`
  return new BackupError(error.code, message, { data: { ...error.data, incomplete: true }, cause: error })
}

function report(
  { invocation, object, host, target }: Task,
  {
    stored,
    done,
    durationMs,
  }: { readonly stored: StoredPoint; readonly done: Done; readonly durationMs: number },
): CommandResult {
  const { transport, outcome, degraded } = done
  const { to } = invocation.options
  const rate = durationMs === 0 ? 0 : ((outcome.writtenBytes + outcome.keptBytes) / durationMs) * 1000
  const kept = outcome.keptBytes === 0 ? '' : `, ${formatByteSize(outcome.keptBytes)} were right already`
  const way =
    transport === 'lan'
      ? '  sent to the agent, which wrote it'
      : `  written on the disks${movedText(outcome.movedCount)}; ${outcome.comparedCount ?? 0} ranges were read alike by both hosts`
  return {
    json: {
      pointId: stored.id,
      object: object.name,
      target: to,
      agent: host,
      targetSizeBytes: target.sizeBytes,
      sizeBytes: object.sizeBytes,
      ...outcome,
      requested: { transport: invocation.options.transport ?? 'auto' },
      done: { transport },
      degraded,
      durationMs,
    },
    text: [
      `Restored ${object.name} of point ${stored.id.slice(0, 12)} (${stored.point.createdAt}) to ${to} of ${host}`,
      `  ${formatByteSize(object.sizeBytes)}: wrote ${formatByteSize(outcome.writtenBytes)}${kept}, every chunk verified`,
      way,
      ...degraded.map(({ code, message }) => `  degraded (${code}): ${message}`),
      `  ${formatDuration(durationMs)}, ${formatByteSize(rate)}/s`,
    ].join('\n'),
    exitCode: degraded.length > 0 ? ExitCode.Degraded : ExitCode.Done,
  }
}

/** What the counts are of is the last attempt. */
function movedText(movedCount = 0): string {
  if (movedCount === 0) return ''
  return `, and compared wholly after the volume was moved ${movedCount === 1 ? 'once' : `${movedCount} times`}`
}
