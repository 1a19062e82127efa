import { setTimeout as sleep } from 'node:timers/promises'
import type { Outage } from './outage.ts'
import type { Patience } from './patience.ts'

export type Resumable<T> = {
  /** Asks for what has not come yet. */
  readonly open: () => AsyncIterable<T>
  /** How far it has come; larger with every step. */
  readonly progress: () => number
}

/**
 * A stream that goes on when its connection is cut off, from the end of what has come. One that never began, of an agent
 * that never answered, fails at once: whoever asks wants to know that nobody is there.
 */
export async function* resumed<T>(
  stream: Resumable<T>,
  { outage, patience }: { readonly outage: Outage; readonly patience: Patience },
  signal: AbortSignal,
): AsyncGenerator<T> {
  let before = stream.progress()
  let idleCount = 0
  let idleSinceMs: number | null = null
  for (let count = 0; ; count += 1) {
    try {
      yield* stream.open()
      return
    } catch (error) {
      signal.throwIfAborted()
      const progress = stream.progress()
      const isIdle = progress === before
      idleCount = isIdle ? idleCount + 1 : 0
      // Also where all other calls are answered: this one may be what ends the connection.
      idleSinceMs = (isIdle ? idleSinceMs : null) ?? outage.now()
      before = progress
      const isTooMuch = count >= patience.resumesMax || outage.hasLasted(idleSinceMs)
      if (isTooMuch || !outage.mayPass(error)) throw outage.verdict(error)
    }
    await pause(idleCount, patience, signal)
  }
}

/** Waits longer before each attempt that follows one in vain. Throws the reason of `signal`. */
export async function pause(idleCount: number, patience: Patience, signal: AbortSignal): Promise<void> {
  const waitMs = Math.min(patience.resumeDelayMs * 2 ** idleCount, patience.resumeDelayMaxMs)
  try {
    await sleep(waitMs, undefined, { signal })
  } catch (error) {
    signal.throwIfAborted()
    throw error
  }
}
