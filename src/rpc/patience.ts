/** How long a mover waits for an agent, and how often it tries again. */
export type Patience = {
  readonly connectMs: number
  /** A connection is asked whether it lives this often, and is given up when it does not answer within `pingTimeoutMs`. */
  readonly pingIntervalMs: number
  readonly pingTimeoutMs: number
  /** For answers that are made at once. */
  readonly answerMs: number
  /** For those that wait for programs or disks: freezing with its hooks, opening and closing a target. */
  readonly longAnswerMs: number
  /** Between two messages of a stream. */
  readonly silenceMs: number
  /** An agent that was there and is not reached is tried again for so long, by all calls together; then it is given up. */
  readonly outageMs: number
  /** Of one that was given up: whether it is there again, for whoever has to tidy up. */
  readonly lastAttemptMs: number
  /** How often a stream that was cut off is taken up again altogether. */
  readonly resumesMax: number
  /** Before the first attempt; then twice as long each time, up to the second one. */
  readonly resumeDelayMs: number
  readonly resumeDelayMaxMs: number
}

export const PATIENCE: Patience = {
  connectMs: 10_000,
  pingIntervalMs: 10_000,
  pingTimeoutMs: 15_000,
  answerMs: 60_000,
  longAnswerMs: 30 * 60_000,
  silenceMs: 15 * 60_000,
  outageMs: 60_000,
  lastAttemptMs: 3000,
  resumesMax: 100,
  resumeDelayMs: 200,
  resumeDelayMaxMs: 5000,
}
