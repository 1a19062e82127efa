import type { ChosenProvider } from '../../host/choose-provider.ts'
import { isFreezing } from '../../host/provider-name.ts'
import { startSpareThreads } from '../../lane/lane-threads.ts'
import type { RunSubject } from '../back-up-sources.ts'
import { BaseLook } from '../base-look.ts'
import { chooseBase } from '../choose-base.ts'
import type { BACKUP } from '../commands/backup.ts'
import { requireFitting } from '../fitting-options.ts'
import { chooseProviders } from '../freeze/choose-providers.ts'
import { openQuietSources, type QuietSources } from '../freeze/quiet-sources.ts'
import type { CommandResult, InvocationOf } from '../invocation.ts'
import { laneCount } from '../lane-count.ts'
import { leftOutCache, openUnlocked, withIndex } from '../open-repository.ts'
import { paceOf } from '../pace-of-run.ts'
import { lineageOf } from '../run-lineage.ts'

type BackupInvocation = InvocationOf<typeof BACKUP>

export async function runBackup(invocation: BackupInvocation): Promise<CommandResult> {
  const { options } = invocation
  requireFitting(invocation)
  const isHere = options.agent === undefined
  const chosen = isHere ? await chooseProviders(invocation) : []
  const freezes = chosen.some(({ provider }) => isFreezing(provider))
  // What somebody else has frozen is looked at before a password is asked for; what icecore freezes, after it.
  await using stack = new AsyncDisposableStack()
  const early = freezes || !isHere ? null : stack.use(await openQuietSources(invocation, chosen, null))
  const prepare = (): void => {
    stack.use(startSpareThreads(laneCount(invocation)))
    // What is done with sources once they are open is half of the program, for which an agent need not wait.
    preload(import('../back-up-sources.ts'))
    preloadReaders(options)
  }
  if (isHere) prepare()
  else preload(import('../agent-source/open-agent-sources.ts'))
  const writerId = invocation.randomness.bytes(8).toHex()
  await using unlocked = await openUnlocked(invocation, { writerId })
  const chosenBase = await chooseBase(unlocked.repository, {
    choice: options.base,
    lineage: lineageOf(invocation),
  })
  if (!options.dryRun) await paceOf(invocation, undefined)?.untilHours(invocation.signal)
  const leftOut = leftOutCache(unlocked, invocation)
  await using baseLook = new BaseLook({
    base: chosenBase.base,
    leftOut,
    open: () => withIndex(unlocked, invocation.settings.cacheFolder),
    signal: invocation.signal,
  })
  const against = { unlocked, chosenBase, baseLook, leftOut, writerId }
  const sources = early ?? stack.use(await openFrozenSources(invocation, { ...against, chosen, prepare }))
  const { backUpSources } = await import('../back-up-sources.ts')
  return await backUpSources(invocation, { ...against, sources })
}

async function openFrozenSources(
  invocation: BackupInvocation,
  what: Pick<RunSubject, 'unlocked' | 'chosenBase' | 'baseLook'> & {
    readonly chosen: readonly ChosenProvider[]
    readonly prepare: () => void
  },
): Promise<QuietSources> {
  const repositoryId = what.unlocked.repository.config.id
  if (invocation.options.agent === undefined)
    return await openQuietSources(invocation, what.chosen, repositoryId)
  const { base, damaged } = what.chosenBase
  const { openAgentSources } = await import('../agent-source/open-agent-sources.ts')
  const basePointId = damaged.length > 0 ? null : (base?.id ?? null)
  const whileWaiting = (): void => {
    what.prepare()
    if (basePointId !== null && invocation.options.paths.length === 0) what.baseLook.begin()
  }
  return await openAgentSources(invocation, { repositoryId, basePointId, whileWaiting })
}

/** Loads what reads partitions and file systems. */
function preloadReaders({ whole, paths }: BackupInvocation['options']): void {
  if (whole) return
  preload(paths.length > 0 ? import('../plan-file-sets.ts') : import('../map-sources.ts'))
}

/** While the password is turned into a key, or an agent freezes; who uses it hears of a failure. */
function preload(loading: Promise<unknown>): void {
  loading.catch(() => {})
}
