import { Cancelled } from './cancelled.ts'
import { ExitCode } from './exit-code.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export type Signals = Disposable & { readonly signal: AbortSignal }

let hangUp: (() => void) | null = null

/** Lets a service take SIGHUP for what services take it for: `listener` instead of the end. */
export function onHangUp(listener: () => void): Disposable {
  hangUp = listener
  return { [Symbol.dispose]: () => (hangUp = null) }
}

/**
 * Turns SIGINT, SIGTERM and SIGHUP into a cancellation, so that work ends in order. Whoever asks a second time
 * does not want to wait: the process ends at once, which the repository is made to survive.
 */
export function listenForSignals(): Signals {
  const controller = new AbortController()
  const onSignal = (name: NodeJS.Signals): void => {
    if (name === 'SIGHUP' && hangUp !== null) return hangUp()
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
