import assert from 'node:assert/strict'
import type { RestoreLanes } from '../restore/restore-lanes.ts'
import { LaneThreads } from './lane-threads.ts'
import type { RestoreRequest, RestoreResult, RestoreSetUp } from './restore-messages.ts'

/** Lanes that restore, in threads of their own. */
export function restoreThreads(count: number, setUp: RestoreSetUp): RestoreLanes {
  const threads = new LaneThreads<RestoreRequest, RestoreResult, never>(count, setUp, () => {})
  return {
    count,
    async restore(job) {
      const outcome = await threads.call({ type: 'restore', job })
      assert(outcome !== null)
      return outcome
    },
    drain: () => threads.callAll({ type: 'drain' }),
    [Symbol.asyncDispose]: () => threads[Symbol.asyncDispose](),
  }
}
