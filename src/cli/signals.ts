import { Cancelled } from './cancelled.ts'
import { ExitCode } from './exit-code.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export type Signals = Disposable & { readonly signal: AbortSignal }

/**
 * Turns SIGINT, SIGTERM and SIGHUP into a cancellation, so that work ends in order. Whoever asks a second time
 * does not want to wait: the process ends at once, which the repository is made to survive.
 */
export function listenForSignals(): Signals {
  const controller = new AbortController()
  const onSignal = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) {
      // oxlint-disable-next-line unicorn/no-process-exit -- ending at once is what was asked for
      process.exit(ExitCode.Cancelled)
    }
    controller.abort(new Cancelled(name))
  }
  for (const name of SIGNALS) process.on(name, onSignal)
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      for (const name of SIGNALS) process.off(name, onSignal)
    },
  }
}
