import type { Clock } from '../domain/clock.ts'
import { isBackupError } from '../domain/backup-error.ts'
import type { Randomness } from '../domain/randomness.ts'
import { heldImages } from '../host/held-images.ts'
import { livenessOf } from '../linux/process-identity.ts'

/**
 * Releases the images of runs whose process on this host is dead, such as this agent before it was restarted or killed. The
 * movers that had them hear IMAGE_MISSING and begin anew. Bases stay, and so do images of other hosts.
 */
export async function releaseAbandoned(
  parts: {
    readonly clock: Clock
    readonly randomness: Randomness
    readonly notice: (message: string) => void
  },
  signal: AbortSignal,
): Promise<void> {
  const { notice } = parts
  try {
    for (const { image, provider } of await heldImages(parts, signal)) {
      if (image.use.kind !== 'run' || livenessOf(image.use.owner) !== 'dead') continue
      await provider.release(image, signal)
      notice(`Released ${image.label} of ${image.source}: the run that it was made for has ended`)
    }
  } catch (error) {
    // The agent can do its work all the same, and `icecore images list` tries again.
    if (!isBackupError(error)) throw error
    notice(`Cannot release images of runs that have ended: ${error.message}`)
  }
}
