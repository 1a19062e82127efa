import { mapConcurrent } from '../domain/map-concurrent.ts'
import type { ProgressListener } from '../domain/progress.ts'
import type { PointObject } from '../domain/recovery-point.ts'
import type { NodeReader } from '../repository/node-reader.ts'
import { treeShape, type TreeShape } from '../repository/tree-shape.ts'
import { PLACES } from '../repository/tree-node.ts'
import { walkLeaves } from '../repository/tree-walk.ts'
import type { RestoreJob, RestoreLanes, RestoreOutcome } from './restore-lanes.ts'

/** Jobs that each lane has at hand. */
const JOBS_PER_LANE = 2
/** A run of zeros is cut into jobs of this size, so that lanes share it and a cancellation is heard. */
const ZEROS_JOB_BYTES = 256 * 1024 * 1024

export type RestoreParts = {
  readonly nodes: NodeReader
  readonly chunkSizeBytes: number
  readonly lanes: RestoreLanes
  /** True when the target is known to read as zeros: holes need no work. */
  readonly isBlank: boolean
  readonly progress: ProgressListener
  readonly signal: AbortSignal
}

/** Writes an object's image. Throws what the repository or the target reports; then the target is not complete. */
export async function restoreImage(parts: RestoreParts, object: PointObject): Promise<RestoreOutcome> {
  const shape = treeShape({ sizeBytes: object.sizeBytes, chunkSizeBytes: parts.chunkSizeBytes })
  const totalBytes = object.root.chunkCount * parts.chunkSizeBytes
  parts.progress({ event: 'phase', phase: `Restoring ${object.name}`, totalBytes })
  const total = { writtenBytes: 0, zeroedBytes: 0, keptBytes: 0 }
  const jobs = jobsOf(parts, object, shape)
  const restored = mapConcurrent(jobs, parts.lanes.count * JOBS_PER_LANE, (job) => parts.lanes.restore(job))
  for await (const outcome of restored) {
    parts.signal.throwIfAborted()
    total.writtenBytes += outcome.writtenBytes
    total.zeroedBytes += outcome.zeroedBytes
    total.keptBytes += outcome.keptBytes
    const doneBytes = Math.min(totalBytes, total.writtenBytes + total.keptBytes)
    parts.progress({ event: 'bytes', doneBytes, totalBytes })
  }
  await parts.lanes.drain()
  return total
}

/** The leaves in order, and the zeros between and behind them where the target needs those. */
async function* jobsOf(
  parts: RestoreParts,
  object: PointObject,
  shape: TreeShape,
): AsyncGenerator<RestoreJob> {
  const leafSize = PLACES * shape.chunkSizeBytes
  let at = 0
  for await (const { leafIndex, node } of walkLeaves({ root: object.root, shape }, parts)) {
    if (!parts.isBlank) yield* zeroJobs(at, leafIndex * leafSize)
    yield { kind: 'leaf', leafIndex, set: node.setMask(), ids: node.ids }
    at = (leafIndex + 1) * leafSize
  }
  if (!parts.isBlank) yield* zeroJobs(at, shape.sizeBytes)
}

function* zeroJobs(from: number, to: number): Generator<RestoreJob> {
  for (let offset = from; offset < to; offset += ZEROS_JOB_BYTES) {
    yield { kind: 'zeros', offset, length: Math.min(ZEROS_JOB_BYTES, to - offset) }
  }
}
