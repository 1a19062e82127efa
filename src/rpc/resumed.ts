import { setTimeout as sleep } from 'node:timers/promises'
import { ErrorCode, isBackupError } from '../domain/backup-error.ts'
import type { Patience } from './patience.ts'

export type Resumable<T> = {
  /** It is known that somebody is there: a first failure is an interruption too. */
  readonly isKnown: () => boolean
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
  let hasBegun = stream.isKnown()
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
      const isCutOff = hasBegun && isInterruption(error)
      if (!isCutOff || count >= patience.resumesMax || idleCount > patience.idleResumesMax) throw error
    }
    await pause(idleCount, patience, signal)
  }
}

/** True for a failure after which it is worth to ask again. */
export function isInterruption(error: unknown): boolean {
  return isBackupError(error, ErrorCode.ConnectionFailed) && error.data['isSilent'] !== true
}

/** Waits longer before each attempt that follows one in vain. Throws the reason of `signal`. */
export async function pause(idleCount: number, patience: Patience, signal: AbortSignal): Promise<void> {
  try {
    await sleep(patience.resumeDelayMs * 2 ** idleCount, undefined, { signal })
  } catch (error) {
    signal.throwIfAborted()
    throw error
  }
}
