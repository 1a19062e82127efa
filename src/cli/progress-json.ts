import type { ProgressDisplay } from './progress-display.ts'
import type { TextStream } from './terminal.ts'

/** One JSON event a line, as the operations say them. */
export function progressJson(messages: TextStream): ProgressDisplay {
  return {
    listener: (progress) => void messages.write(`${JSON.stringify(progress)}\n`),
    [Symbol.dispose]: () => {},
  }
}
