import assert from 'node:assert/strict'
import type { SealLanes, StoredPack } from '../mover/seal-lanes.ts'
import type { SealEvent, SealRequest, SealResult, SealSetUp } from './lane-messages.ts'
import { LaneThreads } from './lane-threads.ts'

/** Lanes that back up, in threads of their own. */
export function sealThreads(count: number, setUp: SealSetUp, onPack: (pack: StoredPack) => void): SealLanes {
  const threads = new LaneThreads<SealRequest, SealResult, SealEvent>(count, setUp, onPack)
  return {
    count,
    async seal(job) {
      const outcome = await threads.call({ type: 'seal', job })
      assert(outcome !== null)
      return outcome
    },
    remap: (source, map) => threads.callAll({ type: 'remap', source, map }),
    drain: () => threads.callAll({ type: 'drain' }),
    [Symbol.asyncDispose]: () => threads[Symbol.asyncDispose](),
  }
}
