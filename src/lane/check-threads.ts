import type { CheckLanes } from '../repository/check/pack-findings.ts'
import type { CheckRequest, CheckResult, CheckSetUp } from './check-messages.ts'
import { LaneThreads } from './lane-threads.ts'

/** Lanes that check packs, in threads of their own. */
export function checkThreads(count: number, setUp: CheckSetUp): CheckLanes {
  const threads = new LaneThreads<CheckRequest, CheckResult, never>(count, setUp, () => {})
  return {
    count,
    check: (packId) => threads.call({ type: 'check', packId }),
    [Symbol.asyncDispose]: () => threads[Symbol.asyncDispose](),
  }
}
