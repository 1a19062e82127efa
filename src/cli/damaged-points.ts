import type { ProgressListener } from '../domain/progress.ts'
import type { DamagedPoint } from '../repository/points.ts'
import { shortId } from './short-id.ts'

// One bad disk can damage thousands of points; the first ones say enough.
const NAMED_MAX = 10

/** A line each for points that are there and cannot be used; none when all are sound. */
export function damagedPointLines(damaged: readonly DamagedPoint[]): string[] {
  const lines = damaged
    .slice(0, NAMED_MAX)
    .map(({ id, reason }) => `Point ${shortId(id)} is damaged: ${reason}`)
  const others = damaged.length - lines.length
  return others === 0 ? lines : [...lines, `and ${others} more are damaged`]
}

/** Says it beside the result, where the result itself has no place for it. */
export function noticeDamagedPoints(damaged: readonly DamagedPoint[], progress: ProgressListener): void {
  for (const message of damagedPointLines(damaged)) progress({ event: 'notice', message })
}
