import type { ProgressListener } from '../domain/progress.ts'
import { progressJson } from './progress-json.ts'
import { progressLine } from './progress-line.ts'
import type { Settings } from './settings.ts'
import type { TextStream } from './terminal.ts'

/** Shows progress until it is disposed, which leaves nothing of it on the screen. */
export type ProgressDisplay = Disposable & { readonly listener: ProgressListener }

/** The display that the settings and the stream call for. */
export function openProgress(
  settings: Pick<Settings, 'progress' | 'quiet'>,
  messages: TextStream,
): ProgressDisplay {
  if (settings.progress === 'json') return progressJson(messages, () => performance.now())
  if (settings.progress === 'auto' && messages.isTty) return progressLine(messages, () => performance.now())
  return noticesOnly(messages, settings.quiet)
}

function noticesOnly(messages: TextStream, quiet: boolean): ProgressDisplay {
  return {
    listener: (progress) => {
      if (progress.event === 'notice' && !quiet) void messages.write(`icecore: ${progress.message}\n`)
    },
    [Symbol.dispose]: () => {},
  }
}
