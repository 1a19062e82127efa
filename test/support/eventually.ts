import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'

const STEP_MS = 20
/** Far more than anything takes on a busy machine: a test that waits for what never comes has to end. */
const TIMEOUT_MS = 60_000

/** Waits until `condition` holds; fails with what `state` says when it does not in time. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  state: () => string = () => 'in time',
): Promise<void> {
  const endsAt = performance.now() + TIMEOUT_MS
  while (!(await condition())) {
    if (performance.now() > endsAt) assert.fail(`what was waited for has not come: ${state()}`)
    await sleep(STEP_MS)
  }
}
