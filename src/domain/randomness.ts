/** Where chance comes from, passed in, so that a test can repeat a run and a run cannot be predicted. */
export type Randomness = {
  /** A uniform integer in [0, limit); `limit` is at most 2^48. */
  below(limit: number): number
  /** `count` unpredictable bytes. */
  bytes(count: number): Uint8Array
}
