import { setTimeout as sleep } from 'node:timers/promises'
import { ErrorCode, isBackupError } from '../../domain/backup-error.ts'

const INTERVAL_MS = 2000

export type HeldWatch = AsyncDisposable & {
  /** Aborted with IMAGE_LOST when the images had to be given up, or are lost. */
  readonly lost: AbortSignal
}

export type HeldWatchParts = {
  /** Throws IMAGE_LOST when it is over. */
  readonly look: (signal: AbortSignal) => Promise<void>
  /** Removes the images: production comes first, the run hears of it meanwhile. */
  readonly giveUp: () => Promise<void>
  readonly intervalMs?: number
}

/** Looks every few seconds at what holds the images, until it is disposed of. */
export function watchHeld({ look, giveUp, intervalMs = INTERVAL_MS }: HeldWatchParts): HeldWatch {
  const lost = new AbortController()
  const stopped = new AbortController()
  // What cannot be given up now is tried again by whoever made it, and that one is heard.
  const watching = watch().catch(() => {})
  return {
    lost: lost.signal,
    [Symbol.asyncDispose]: async () => {
      stopped.abort()
      await watching
    },
  }

  async function watch(): Promise<void> {
    while (await isTime()) {
      try {
        await look(stopped.signal)
      } catch (error) {
        // Who cannot ask now asks again; at its end the run asks for itself.
        if (!isBackupError(error, ErrorCode.ImageLost)) continue
        const removal = giveUp()
        lost.abort(error)
        await removal
        return
      }
    }
  }

  async function isTime(): Promise<boolean> {
    try {
      await sleep(intervalMs, undefined, { signal: stopped.signal, ref: false })
      return true
    } catch {
      return false
    }
  }
}
