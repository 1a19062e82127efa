import type { HeldImage } from '../capture/provider/held-image.ts'
import type { Provider } from '../capture/provider/provider.ts'
import { ErrorCode, isBackupError } from '../domain/backup-error.ts'
import type { Clock } from '../domain/clock.ts'
import type { Randomness } from '../domain/randomness.ts'
import { livenessOf } from '../linux/process-identity.ts'
import { FREEZING_PROVIDERS, loadProvider } from './providers.ts'

export type HeldHere = { readonly image: HeldImage; readonly provider: Provider }

/** All that icecore holds on this host, oldest first. A provider whose tools are not installed holds nothing. */
export async function heldImages(
  parts: { readonly clock: Clock; readonly randomness: Randomness },
  signal: AbortSignal,
): Promise<readonly HeldHere[]> {
  const providers = await Promise.all(FREEZING_PROVIDERS.map((name) => loadProvider(name, parts)))
  // In one moment: those that freeze volumes of LVM then share what LVM says.
  const held = await Promise.all(providers.map((provider) => heldBy(provider, signal)))
  const found = providers.flatMap((provider, index) =>
    (held[index] ?? []).map((image): HeldHere => ({ image, provider })),
  )
  return found.toSorted((a, b) => a.image.createdAtMs - b.image.createdAtMs)
}

async function heldBy(provider: Provider, signal: AbortSignal): Promise<readonly HeldImage[]> {
  try {
    return await provider.held(signal)
  } catch (error) {
    if (isBackupError(error, ErrorCode.ProgramMissing)) return []
    throw error
  }
}

/**
 * An image of a run whose process has ended without releasing it. Of a process of another host, which may share a volume
 * group with this one, only the lease tells.
 */
export function isAbandoned({ use }: HeldImage, now: Date): boolean {
  if (use.kind !== 'run') return false
  const liveness = livenessOf(use.owner)
  return liveness === 'dead' || (liveness === 'elsewhere' && use.leaseEndsAtMs < now.getTime())
}
