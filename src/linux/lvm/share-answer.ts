import { setImmediate } from 'node:timers/promises'

/**
 * All who ask before the question is put share its answer. Who asks later is not given it, even if it is still to come: it
 * may be older than what that one has just done.
 */
export function shareAnswer<Answer>(ask: () => Promise<Answer>): () => Promise<Answer> {
  let next: Promise<Answer> | null = null
  return () => {
    next ??= put()
    return next
  }

  async function put(): Promise<Answer> {
    await setImmediate()
    next = null
    return await ask()
  }
}
