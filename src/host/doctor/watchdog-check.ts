import { type Finding, ok, wrong } from './finding.ts'

/** How starting the process went that thaws when icecore dies. */
export type WatchdogTrial = {
  /** Why it did not start; null when it did. */
  readonly failure: string | null
  readonly canFreeze: boolean
}

export function checkWatchdog({ failure, canFreeze }: WatchdogTrial): Finding {
  if (failure !== null) {
    return wrong('watchdog', {
      sentence: `The process that thaws what is frozen when icecore dies cannot be started: ${failure}`,
      advice: 'See that this user may start processes, and that memory is left',
      stops: 'source',
    })
  }
  if (canFreeze) return ok('watchdog', 'The process that thaws what is frozen when icecore dies starts')
  return wrong('watchdog', {
    sentence:
      'The process that thaws starts, but without a native library: no file system can be frozen here',
    advice: 'See what is said of the native library',
    stops: 'nothing',
  })
}
