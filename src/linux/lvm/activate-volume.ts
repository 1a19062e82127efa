import { ErrorCode } from '../../domain/backup-error.ts'
import { runLvm } from './run-lvm.ts'

/**
 * Activates a snapshot, `group/volume`, which LVM leaves inactive; it was made read-only and is active so. To dispose of
 * it deactivates it, and is no error when it is gone.
 */
export async function activateVolume(label: string, signal: AbortSignal): Promise<AsyncDisposable> {
  await change(label, 'y', signal)
  return {
    [Symbol.asyncDispose]: async () => {
      try {
        await change(label, 'n', new AbortController().signal)
      } catch {
        // Removed already; or still open somewhere, and whoever removes it says so.
      }
    },
  }
}

async function change(label: string, to: 'y' | 'n', signal: AbortSignal): Promise<void> {
  const action = to === 'y' ? `show snapshot "${label}"` : `hide snapshot "${label}"`
  const words = ['lvchange', '--activate', to, '--ignoreactivationskip', label]
  await runLvm(words, { action, code: ErrorCode.SourceUnreadable, signal })
}
