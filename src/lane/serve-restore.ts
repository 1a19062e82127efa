import { allocateAligned } from '../linux/aligned-memory.ts'
import { serveCalls } from '../linux/thread-calls.ts'
import { DirectoryStore } from '../stores/directory/directory-store.ts'
import { mappedTarget } from './mapped-target.ts'
import { restoreLane } from './open-restore-lane.ts'
import type { RestoreRequest, RestoreResult, RestoreSetUp } from './restore-messages.ts'
import { targetWriter } from './target-writer.ts'

/** What a thread does that restores. */
export function serveRestore(from: RestoreSetUp): void {
  const { target } = from
  const lane = restoreLane(from, {
    store: new DirectoryStore(from.store.path, { writerId: from.store.writerId }),
    target: target.kind === 'mapped' ? mappedTarget(target, allocateAligned) : targetWriter(target),
  })
  serveCalls<RestoreRequest, RestoreResult>(async (request) => {
    if (request.type === 'restore') return await lane.restore(request.job)
    await lane.drain()
    return null
  })
}
