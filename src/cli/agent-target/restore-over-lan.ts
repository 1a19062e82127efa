import { restoreLane } from '../../lane/open-restore-lane.ts'
import type { RestoreWork } from '../../lane/restore-messages.ts'
import type { RestoreLanes, RestoreOutcome } from '../../restore/restore-lanes.ts'
import type { AgentApi } from '../../rpc/agent-api.ts'
import { DirectoryStore } from '../../stores/directory/directory-store.ts'
import { agentTargetWriter } from './agent-target-writer.ts'

export type LanRestoreParts = {
  readonly agent: AgentApi
  readonly targetId: string
  readonly work: RestoreWork
  readonly restore: (lanes: RestoreLanes, signal: AbortSignal) => Promise<RestoreOutcome>
  /** Called before the first byte is written. */
  readonly onWrite: () => void
}

/** Sends verified bytes to the target's own host, which writes them. One lane: the network is slower than it. */
export async function restoreOverLan(parts: LanRestoreParts, signal: AbortSignal): Promise<RestoreOutcome> {
  const { agent, targetId, work } = parts
  parts.onWrite()
  const stopped = new AbortController()
  const writer = agentTargetWriter(agent, targetId, AbortSignal.any([signal, stopped.signal]))
  await using store = new DirectoryStore(work.store.path, { writerId: work.store.writerId })
  const lane = restoreLane(work, { store, target: writer })
  const lanes: RestoreLanes = {
    count: 1,
    restore: (job) => lane.restore(job),
    drain: () => lane.drain(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
  try {
    const outcome = await parts.restore(lanes, signal)
    await writer.finish()
    return outcome
  } catch (error) {
    writer.fail(error)
    stopped.abort(error)
    throw error
  }
}
