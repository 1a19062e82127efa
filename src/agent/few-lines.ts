/** Strangers who knock all day do not fill the log: so many lines an interval. */
const LINES_MAX = 20
const INTERVAL_MS = 60_000

export class FewLines {
  #since = -Infinity
  #count = 0

  isAllowed(nowMs: number): boolean {
    if (nowMs - this.#since >= INTERVAL_MS) {
      this.#since = nowMs
      this.#count = 0
    }
    this.#count += 1
    return this.#count <= LINES_MAX
  }
}
