import { ThreadCaller } from '../linux/thread-calls.ts'
import type { SealJob, SealLanes, SealOutcome, StoredPack } from '../mover/seal-lanes.ts'
import type { SealEvent, SealRequest, SealResult, SealSetUp } from './lane-messages.ts'

const ENTRY = new URL('./worker.ts', import.meta.url)

/** Lanes in threads of their own. A job goes to the lane that has the least to do. */
export function sealThreads(count: number, setUp: SealSetUp, onPack: (pack: StoredPack) => void): SealLanes {
  const threads = Array.from(
    { length: count },
    () => new ThreadCaller<SealRequest, SealResult, SealEvent>(ENTRY, { workerData: setUp, onEvent: onPack }),
  )
  return {
    count,
    async seal(job: SealJob): Promise<SealOutcome> {
      const [first, ...others] = threads
      if (first === undefined) throw new RangeError('there are no lanes')
      const idlest = others.reduce(
        (least, thread) => (thread.pendingCount < least.pendingCount ? thread : least),
        first,
      )
      const outcome = await idlest.call({ type: 'seal', job })
      if (outcome === null) throw new TypeError('a lane answered nothing')
      return outcome
    },
    async drain(): Promise<void> {
      await Promise.all(threads.map((thread) => thread.call({ type: 'drain' })))
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await Promise.all(threads.map((thread) => thread[Symbol.asyncDispose]()))
    },
  }
}
