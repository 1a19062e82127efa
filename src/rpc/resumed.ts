import { setTimeout as sleep } from 'node:timers/promises'
import { ErrorCode, isBackupError } from '../domain/backup-error.ts'
import type { Patience } from './patience.ts'

export type Resumable<T> = {
  /** Asks for what has not come yet. */
  readonly open: () => AsyncIterable<T>
  /** How far it has come; larger with every step. */
  readonly progress: () => number
}

/**
 * A stream that goes on when its connection is cut off, from the end of what has come. One that never began fails at once:
 * whoever asks wants to know that nobody is there.
 */
export async function* resumed<T>(
  stream: Resumable<T>,
  patience: Patience,
  signal: AbortSignal,
): AsyncGenerator<T> {
  const start = stream.progress()
  let before = start
  let hasBegun = false
  let idleCount = 0
  for (let count = 0; ; count += 1) {
    try {
      for await (const item of stream.open()) {
        hasBegun = true
        yield item
      }
      return
    } catch (error) {
      signal.throwIfAborted()
      const progress = stream.progress()
      idleCount = progress > before ? 0 : idleCount + 1
      before = progress
      const isCutOff =
        hasBegun && isBackupError(error, ErrorCode.ConnectionFailed) && error.data['isSilent'] !== true
      if (!isCutOff || count >= patience.resumesMax || idleCount > patience.idleResumesMax) throw error
    }
    await sleep(patience.resumeDelayMs * 2 ** idleCount, undefined, { signal })
  }
}
