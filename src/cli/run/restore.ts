import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import { formatByteSize } from '../../domain/byte-size.ts'
import { formatDuration } from '../../domain/duration.ts'
import type { PointObject, StoredPoint } from '../../domain/recovery-point.ts'
import type { TargetAddress } from '../../lane/target-writer.ts'
import { startSpareThreads } from '../../lane/lane-threads.ts'
import { restoreThreads } from '../../lane/restore-threads.ts'
import { isBlockDevice } from '../../linux/is-block-device.ts'
import { openLocalTarget, type LocalTarget } from '../../linux/local-target.ts'
import { reopenTarget } from '../../linux/reopen.ts'
import { listPoints } from '../../repository/points.ts'
import { selectObject } from '../../repository/select-object.ts'
import { selectSoundPoint } from '../../repository/select-point.ts'
import { restoreImage } from '../../restore/restore-image.ts'
import type { RestoreOutcome } from '../../restore/restore-lanes.ts'
import type { RESTORE } from '../commands/restore.ts'
import { noticeDamagedPoints } from '../damaged-points.ts'
import { ExitCode } from '../exit-code.ts'
import type { CommandResult, InvocationOf } from '../invocation.ts'
import { laneCount } from '../lane-count.ts'
import { openIndexed, type IndexedRepository } from '../open-repository.ts'

export type RestoreInvocation = InvocationOf<typeof RESTORE>

export async function runRestore(invocation: RestoreInvocation): Promise<CommandResult> {
  const { options, clock } = invocation
  if (options.agent !== undefined) {
    // What speaks with agents is loaded only where there is one.
    return await (await import('./restore-to-agent.ts')).runRestoreToAgent(invocation, options.agent)
  }
  requireNoAgentOptions(invocation)
  await using _spares = startSpareThreads(laneCount(invocation))
  await using repository = await openIndexed(invocation)
  const found = await listPoints(repository.repository)
  const stored = selectSoundPoint(found, invocation.arguments.point)
  // The latest of those that can be read may not be the latest that was made.
  noticeDamagedPoints(found.damaged, invocation.progress)
  const object = selectObject(stored, options.object)
  if (object.kind === 'files') await requireNoDevice(object, options.to)
  await using target = await openLocalTarget(options.to, {
    sizeBytes: object.sizeBytes,
    overwrite: options.overwrite,
    inPlace: options.differing,
    confirmed: options.yes,
  })
  const startedAt = clock.now().getTime()
  const outcome = await restoreTo(invocation, { repository, object, target })
  invocation.progress({ event: 'phase', phase: 'Waiting until it is durable', totalBytes: null })
  await target.commit()
  const durationMs = clock.now().getTime() - startedAt
  return report({ stored, object, target, outcome, durationMs })
}

function requireNoAgentOptions({ options }: RestoreInvocation): void {
  if (options.transport === undefined && options.sanDisks.length === 0) return
  const message = 'Cannot use --transport or --san-disk without --agent: the target is on this host'
  throw new BackupError(ErrorCode.UsageWrong, message, { data: { command: 'icecore restore' } })
}

/** The image of a file set is no file system that anything else could mount. */
async function requireNoDevice(object: PointObject, to: string): Promise<void> {
  if (!(await isBlockDevice(to))) return
  const message = `Cannot restore "${object.name}" to "${to}": it is a set of files, not a volume; required is a file, or \`icecore extract\` to take the files out`
  throw new BackupError(ErrorCode.TargetUnsuitable, message, { data: { object: object.name, to } })
}

async function restoreTo(
  invocation: RestoreInvocation,
  what: { repository: IndexedRepository; object: PointObject; target: LocalTarget },
): Promise<RestoreOutcome> {
  const { repository, object, target } = what
  const { options, progress, signal } = invocation
  const sparse = options.sparse === 'auto'
  // A new file is all holes; with --sparse never those holes are to be filled.
  const isBlank = target.blank && sparse
  using direct = reopenTarget(target.workingPath, { direct: true })
  using buffered = reopenTarget(target.workingPath, { direct: false })
  const address: TargetAddress = {
    path: target.path,
    kind: target.type,
    directFd: direct.fd,
    bufferedFd: buffered.fd,
    sparse,
  }
  const { sizeBytes } = object
  await using lanes = restoreThreads(laneCount(invocation), {
    ...repository.laneSetUp,
    work: 'restore',
    target: address,
    sizeBytes,
    isBlank,
    differing: options.differing && !target.blank,
  })
  const { chunkSizeBytes } = repository.repository.config
  return await restoreImage(
    { nodes: repository.nodes, chunkSizeBytes, lanes, isBlank, progress, signal },
    object,
  )
}

function report(done: {
  readonly stored: StoredPoint
  readonly object: PointObject
  readonly target: LocalTarget
  readonly outcome: RestoreOutcome
  readonly durationMs: number
}): CommandResult {
  const { stored, object, target, outcome, durationMs } = done
  const rate = durationMs === 0 ? 0 : ((outcome.writtenBytes + outcome.keptBytes) / durationMs) * 1000
  const kept = outcome.keptBytes === 0 ? '' : `, ${formatByteSize(outcome.keptBytes)} were right already`
  return {
    json: {
      pointId: stored.id,
      object: object.name,
      target: target.path,
      sizeBytes: object.sizeBytes,
      ...outcome,
      durationMs,
    },
    text: [
      `Restored ${object.name} of point ${stored.id.slice(0, 12)} (${stored.point.createdAt}) to ${target.path}`,
      `  ${formatByteSize(object.sizeBytes)}: wrote ${formatByteSize(outcome.writtenBytes)}${kept}, every chunk verified`,
      `  ${formatDuration(durationMs)}, ${formatByteSize(rate)}/s`,
    ].join('\n'),
    exitCode: ExitCode.Done,
  }
}
