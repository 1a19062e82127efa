import { CheckLane } from '../../src/lane/check-lane.ts'
import { checkNames, type CheckNamesResult } from '../../src/repository/check/check-names.ts'
import { checkRepository, type CheckResult } from '../../src/repository/check/check-repository.ts'
import type { CheckLanes } from '../../src/repository/check/pack-findings.ts'
import type { Repository } from '../../src/repository/repository.ts'
import { seededRandomness } from './seeded-randomness.ts'

/** Checks a repository with everything that the command uses but its threads. `share` is that of the packs read. */
export async function checkInThread(repository: Repository, share: number): Promise<CheckResult> {
  return await checkRepository({ ...surroundings(repository, true), repository }, share)
}

/** As without a key. */
export async function checkNamesInThread(repository: Repository): Promise<CheckNamesResult> {
  return await checkNames({ ...surroundings(repository, false), store: repository.store }, 1)
}

function surroundings(
  repository: Repository,
  hasKey: boolean,
): Omit<Parameters<typeof checkNames>[0], 'store'> {
  return {
    openLanes: () => oneLane(repository, hasKey),
    randomness: seededRandomness(4),
    progress: () => {},
    signal: new AbortController().signal,
  }
}

function oneLane(repository: Repository, hasKey: boolean): CheckLanes {
  const { store, sealing, codec, config } = repository
  const lane = new CheckLane({
    store,
    sealing: hasKey ? sealing : null,
    codec,
    chunkSizeBytes: config.chunkSizeBytes,
    packSizeBytes: config.packSizeBytes,
    allocate: (bytes) => new Uint8Array(bytes),
  })
  return {
    count: 1,
    check: (packId) => lane.check(packId),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}
