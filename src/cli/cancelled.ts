/** The reason of a cancellation that a person or the system asked for. */
export class Cancelled extends Error {
  readonly signalName: string
  /** What became of the work, in one line; undefined where the command's own definition says it, or nothing is left of it. */
  readonly hint: string | undefined

  constructor(signalName: string, hint?: string) {
    super(`Cancelled by ${signalName}`)
    this.name = 'Cancelled'
    this.signalName = signalName
    this.hint = hint
  }
}

/** True for our own cancellation, and for what Node throws when a signal without a reason is aborted. */
export function isCancellation(error: unknown): boolean {
  return error instanceof Cancelled || (error instanceof Error && error.name === 'AbortError')
}
