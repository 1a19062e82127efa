import { hostname } from 'node:os'
import type { SourceAddress } from '../lane/lane-messages.ts'
import { sealThreads } from '../lane/seal-threads.ts'
import type { BackUpParts } from '../mover/back-up.ts'
import type { Pace } from '../mover/pace.ts'
import { pacedLanes } from '../mover/paced-lanes.ts'
import type { IndexSegment } from '../repository/index-segment.ts'
import type { LocalIndex } from '../stores/local-index/local-index.ts'
import type { Invocation } from './invocation.ts'
import { laneCount } from './lane-count.ts'
import type { IndexedRepository } from './open-repository.ts'
import { VERSION } from './version.ts'

type PartsOfInvocation = Parameters<typeof laneCount>[0] &
  Pick<Invocation, 'clock' | 'randomness' | 'progress' | 'signal'>

/** Joins the mover to this repository, this index and threads that read these sources. */
export function backUpParts(
  invocation: PartsOfInvocation,
  run: {
    repository: IndexedRepository
    addresses: readonly SourceAddress[]
    writerId: string
    lanesMax: number | null
    pace: Pace | null
  },
): BackUpParts {
  const { repository, index, locator, nodes, laneSetUp } = run.repository
  const { clock, randomness, progress, signal } = invocation
  return {
    repository,
    index: {
      locate: (id) => locator.locate(id),
      isReusable: (location) => locator.isReusable(location),
      hasCondemned: locator.hasCondemned,
      unindexed: index.unindexed,
      damagedSegments: index.damagedSegments,
      adopt: (id, segment) => adoptSegment(index.local, id, segment),
    },
    reader: nodes,
    writerId: run.writerId,
    openLanes: (known, onPack) => {
      const count = Math.min(laneCount(invocation), run.lanesMax ?? Infinity)
      const setUp = { ...laneSetUp, work: 'seal', known, sources: run.addresses } as const
      const lanes = sealThreads(count, setUp, onPack)
      const { chunkSizeBytes } = repository.config
      return run.pace === null ? lanes : pacedLanes(lanes, { pace: run.pace, chunkSizeBytes, signal })
    },
    about: { host: hostname(), icecoreVersion: VERSION },
    clock,
    randomness,
    progress,
    signal,
  }
}

/** The next command need not read what this run wrote; where the copy cannot be kept, it will. */
function adoptSegment(local: LocalIndex, id: string, segment: IndexSegment): void {
  try {
    local.add(id, segment)
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error
  }
}
