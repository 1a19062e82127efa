import type { Progress } from '../domain/progress.ts'
import { type ProgressState, renderProgress } from './render-progress.ts'
import type { ProgressDisplay } from './progress-display.ts'
import type { TextStream } from './terminal.ts'

const DRAW_INTERVAL_MS = 100
/** The rate is that of this long: shorter jumps about, longer does not notice a slower disk. */
const RATE_WINDOW_MS = 5000
/** Below this the rate says more about start-up than about the disk. */
const RATE_AFTER_MS = 500
const CLEAR_LINE = '\r\u001B[2K'

type Sample = { readonly atMs: number; readonly bytes: number }

/** One line that is drawn over and over, at most ten times a second, and clears itself in the end. */
export function progressLine(messages: TextStream, nowMs: () => number): ProgressDisplay {
  let state: ProgressState | undefined
  let samples: Sample[] = []
  let drawnAtMs = Number.NEGATIVE_INFINITY
  let isDrawn = false

  const clear = (): void => {
    if (isDrawn) void messages.write(CLEAR_LINE)
    isDrawn = false
  }
  const draw = (): void => {
    if (state === undefined) return
    drawnAtMs = nowMs()
    isDrawn = true
    // The last column stays empty: some terminals would wrap.
    void messages.write(`${CLEAR_LINE}${renderProgress(state, messages.width() - 1, messages.paint)}`)
  }
  const listener = (progress: Progress): void => {
    switch (progress.event) {
      case 'phase':
        samples = []
        state = {
          phase: progress.phase,
          doneBytes: 0,
          totalBytes: progress.totalBytes,
          storedBytes: undefined,
          bytesPerSecond: undefined,
        }
        return draw()
      case 'bytes': {
        const atMs = nowMs()
        // Events may come by the thousand; a sample for each drawing is enough.
        if (atMs - (samples.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY) >= DRAW_INTERVAL_MS) {
          samples = samples.filter((sample) => atMs - sample.atMs <= RATE_WINDOW_MS)
          samples.push({ atMs, bytes: progress.doneBytes })
        }
        const { doneBytes, totalBytes, storedBytes } = progress
        const phase = state?.phase ?? ''
        state = { phase, doneBytes, totalBytes, storedBytes, bytesPerSecond: rateOf(samples) }
        return atMs - drawnAtMs >= DRAW_INTERVAL_MS ? draw() : undefined
      }
      case 'notice':
        clear()
        void messages.write(`${messages.paint('yellow', 'icecore:')} ${progress.message}\n`)
        return draw()
    }
  }
  return { listener, [Symbol.dispose]: clear }
}

function rateOf(samples: readonly Sample[]): number | undefined {
  const first = samples[0]
  const last = samples.at(-1)
  if (first === undefined || last === undefined || last.atMs - first.atMs < RATE_AFTER_MS) return undefined
  return ((last.bytes - first.bytes) * 1000) / (last.atMs - first.atMs)
}
