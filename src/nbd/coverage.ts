/** A reply comes in the order of the disk, or nearly so; one that is scattered wider is meant to cost time. */
const ISLANDS_MAX = 1024

/** Which bytes of a request were answered. Each may be answered once. */
export class Coverage {
  readonly #length: number
  /** Begin and end of each answered part, ascending, none touching the next. */
  readonly #edges: number[] = []

  constructor(length: number) {
    this.#length = length
  }

  get isWhole(): boolean {
    return this.#edges.length === 2 && this.#edges[0] === 0 && this.#edges[1] === this.#length
  }

  /** Throws RangeError for a part that is empty, reaches outside, or was answered before. */
  add(start: number, length: number): void {
    const edges = this.#edges
    const end = start + length
    if (length < 1 || start < 0 || end > this.#length) {
      throw new RangeError(`it answers bytes ${start}+${length} of a request of ${this.#length}`)
    }
    // The last part nearly always: pieces come in order.
    let index = edges.length
    while (index > 0 && (edges[index - 2] ?? 0) >= end) index -= 2
    const endBefore = index === 0 ? -1 : (edges[index - 1] ?? 0)
    if (endBefore > start) throw new RangeError(`it answers bytes ${start}+${length} twice`)
    const touchesBefore = endBefore === start
    const touchesAfter = edges[index] === end
    if (touchesBefore && touchesAfter) edges.splice(index - 1, 2)
    else if (touchesBefore) edges[index - 1] = end
    else if (touchesAfter) edges[index] = start
    else edges.splice(index, 0, start, end)
    if (edges.length > 2 * ISLANDS_MAX) throw new RangeError('its answer is scattered over too many pieces')
  }
}
