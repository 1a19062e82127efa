import type { Progress } from '../domain/progress.ts'
import type { ProgressDisplay } from './progress-display.ts'
import type { TextStream } from './terminal.ts'

/** How far a run has come is said ten times a second at most, however many threads it has. */
const INTERVAL_MS = 100

/** One JSON event a line. Each is said that is not about bytes; of those, the last one before any other, and the last of all. */
export function progressJson(messages: TextStream, now: () => number): ProgressDisplay {
  let saidAtMs = -Infinity
  let unsaid: Progress | null = null
  const say = (progress: Progress): void => void messages.write(`${JSON.stringify(progress)}\n`)
  const catchUp = (): void => {
    if (unsaid !== null) say(unsaid)
    unsaid = null
  }
  return {
    listener: (progress) => {
      if (progress.event !== 'bytes') {
        catchUp()
        say(progress)
        return
      }
      unsaid = progress
      if (now() - saidAtMs < INTERVAL_MS) return
      saidAtMs = now()
      catchUp()
    },
    [Symbol.dispose]: catchUp,
  }
}
