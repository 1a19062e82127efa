import { checkThreads } from '../../lane/check-threads.ts'
import { checkNames } from '../../repository/check/check-names.ts'
import { checkRepository } from '../../repository/check/check-repository.ts'
import type { CheckLanes } from '../../repository/check/pack-findings.ts'
import type { RepositoryConfig } from '../../repository/config.ts'
import type { RepositoryKeys } from '../../repository/keys.ts'
import { readConfig } from '../../repository/repository.ts'
import { DirectoryStore } from '../../stores/directory/directory-store.ts'
import { checkReport, type CheckReport } from '../check-report.ts'
import type { CHECK } from '../commands/check.ts'
import { ExitCode } from '../exit-code.ts'
import type { CommandResult, InvocationOf } from '../invocation.ts'
import { laneCount } from '../lane-count.ts'
import { openUnlocked } from '../open-repository.ts'

type CheckInvocation = InvocationOf<typeof CHECK>

export async function runCheck(invocation: CheckInvocation): Promise<CommandResult> {
  const { options } = invocation
  const share = options.data ? 1 : (options.sample ?? 0)
  const startedAt = performance.now()
  const found = await check(invocation, share)
  const durationMs = Math.round(performance.now() - startedAt)
  const { json, text } = checkReport({ ...found, share, durationMs })
  return { json, text, exitCode: found.problems.length > 0 ? ExitCode.Damage : ExitCode.Done }
}

async function check(
  invocation: CheckInvocation,
  share: number,
): Promise<Omit<CheckReport, 'share' | 'durationMs'>> {
  if (!invocation.options.key) {
    await using store = new DirectoryStore(invocation.requireRepository())
    const config = await readConfig(store)
    // Where nothing is encrypted nothing needs a key.
    if (config.encryption !== 'none') {
      const openLanes = lanesFor(invocation, { store, config, keys: null, namesOnly: true })
      const result = await checkNames({ ...invocation, store, openLanes }, share)
      const unchecked = { notes: [], nodeCount: 0, chunkCount: 0, fence: { packIds: [], failure: null } }
      return { ...unchecked, ...result, namesOnly: true, repository: store.description }
    }
  }
  await using unlocked = await openUnlocked(invocation)
  const { repository, store } = unlocked
  const { config, sealing } = repository
  const openLanes = lanesFor(invocation, { store, config, keys: sealing.keys, namesOnly: false })
  const result = await checkRepository({ ...invocation, repository, openLanes }, share)
  return { ...result, namesOnly: false, repository: store.description }
}

function lanesFor(
  invocation: CheckInvocation,
  from: { store: DirectoryStore; config: RepositoryConfig; keys: RepositoryKeys | null; namesOnly: boolean },
): () => CheckLanes {
  const { store, ...rest } = from
  const address = { kind: 'directory', path: store.description, writerId: 'check' } as const
  return () => checkThreads(laneCount(invocation), { ...rest, store: address, work: 'check' })
}
