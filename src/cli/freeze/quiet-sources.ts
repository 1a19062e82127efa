import { createHash } from 'node:crypto'
import { lineageKeyOf } from '../../capture/provider/lineage-key.ts'
import type { FreezeRecord } from '../../domain/ledger.ts'
import type { ChosenProvider } from '../../host/choose-provider.ts'
import { isFreezing } from '../../host/provider-name.ts'
import type { BACKUP } from '../commands/backup.ts'
import type { InvocationOf } from '../invocation.ts'
import { openBackupSources, type OpenSources } from '../open-backup-sources.ts'
import { tlsFilesOf } from '../open-source.ts'
import { freezeDeadlineOf, runWithHooks } from '../run-hooks.ts'
import { lineageOf } from '../run-lineage.ts'
import type { FrozenSources } from './frozen-source.ts'

type BackupInvocation = InvocationOf<typeof BACKUP>

/** The sources, and how they were brought to rest. */
export type QuietSources = OpenSources & {
  readonly freeze: FreezeRecord | null
  /** How long the disks under them take to answer, in milliseconds, as their host measures it. */
  readonly load?: (signal: AbortSignal) => Promise<number | null>
}

/**
 * Freezes what is to be frozen for the repository, if one is given, and opens all. What nobody freezes, somebody else has
 * frozen, perhaps a program before the freeze: to open it is all that is left to do.
 */
export async function openQuietSources(
  invocation: BackupInvocation,
  chosen: readonly ChosenProvider[],
  repositoryId: string | null,
): Promise<QuietSources> {
  const { allowMounted, bitmap, dryRun: isDryRun } = invocation.options
  const how = { allowMounted, bitmap, tlsFiles: tlsFilesOf(invocation.options), signal: invocation.signal }
  const sources = chosen.map(({ argument, provider, source }) => (isFreezing(provider) ? argument : source))
  const open = async (signal: AbortSignal, letGo: () => Promise<void>): Promise<OpenSources> => {
    // What nobody here freezes stands still by the grace of the hooks until it is open.
    const whenFrozen = chosen.every(({ provider }) => isFreezing(provider)) ? letGo : nothing
    const what = { chosen, repositoryId: repositoryId ?? '', signal, whenFrozen }
    const frozen = repositoryId === null ? null : await freeze(invocation, what)
    return await openBackupSources(sources, { ...how, frozen })
  }
  if (isDryRun) return { ...(await open(invocation.signal, nothing)), freeze: null }
  const window = { lineage: lineageOf(invocation), mountPoints: [] }
  const { frozen, record, degraded } = await runWithHooks(invocation, window, open)
  return { ...frozen, degraded: [...frozen.degraded, ...degraded], freeze: record }
}

async function freeze(
  invocation: BackupInvocation,
  what: {
    chosen: readonly ChosenProvider[]
    repositoryId: string
    signal: AbortSignal
    whenFrozen: () => Promise<void>
  },
): Promise<FrozenSources> {
  const { clock, randomness, progress } = invocation
  const { chosen, repositoryId, signal, whenFrozen } = what
  for (const { argument, provider, why } of chosen) {
    if (isFreezing(provider))
      progress({ event: 'notice', message: `Freezing ${argument} by ${provider}: ${why}` })
  }
  const { freezeSources } = await import('./frozen-sources.ts')
  const lineageKey = lineageKeyOf({ repositoryId, lineage: lineageOf(invocation), sha256 })
  const freezeDeadlineMs = freezeDeadlineOf(invocation)
  return await freezeSources(chosen, { clock, randomness, lineageKey, freezeDeadlineMs, signal, whenFrozen })
}

export function sha256(text: string): Uint8Array {
  return createHash('sha256').update(text).digest()
}

function nothing(): Promise<void> {
  return Promise.resolve()
}
