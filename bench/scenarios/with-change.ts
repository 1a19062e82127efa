import type { Bench } from '../bench.ts'
import { applyChange, undoChange } from '../data/scattered-change.ts'
import { hasTool } from '../peers/find-tool.ts'
import type { Peer } from '../peers/peer.ts'

/** Sees to a first backup of the unchanged image by each program, then runs `measureChanged` on the changed one. */
export async function withChange<Result>(
  bench: Bench,
  peers: readonly Peer[],
  measureChanged: () => Promise<Result>,
): Promise<Result> {
  for (const peer of peers) {
    if (!peer.tools.every(hasTool)) continue
    await bench.states.afterFirst(peer)
    bench.states.drop(peer, 'working')
  }
  applyChange(bench.data.change)
  try {
    return await measureChanged()
  } finally {
    undoChange(bench.data.change)
  }
}
