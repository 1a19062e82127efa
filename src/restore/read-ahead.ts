/** Readers that go on where they were are told apart up to this number: a file, and the trees that lead to it. */
const STREAMS_MAX = 4

/** Sees who reads on from where it was, and says how much more to fetch. Positions and counts are of chunks. */
export class ReadAhead {
  readonly #countMax: number
  /** Where each reader's last read ended and what was fetched beyond; the one used last is the last. */
  readonly #streams: { end: number; window: number; fetchedEnd: number }[] = []

  constructor(countMax: number) {
    this.#countMax = countMax
  }

  /** After a read from `first` to before `stop`: how many chunks from `stop` on to fetch now; 0 for none. */
  next(first: number, stop: number): number {
    const at = this.#streams.findIndex(({ end }) => first === end || first === end - 1)
    const stream = at === -1 ? undefined : this.#streams.splice(at, 1)[0]
    if (stream === undefined) {
      this.#streams.push({ end: stop, window: 0, fetchedEnd: stop })
      if (this.#streams.length > STREAMS_MAX) this.#streams.shift()
      return 0
    }
    const hasMoved = stop > stream.end
    if (hasMoved) stream.window = Math.min(this.#countMax, Math.max(1, stream.window * 2))
    stream.end = stop
    this.#streams.push(stream)
    // What was fetched ahead is used up by half before more is asked for, so that reads stay large.
    if (!hasMoved || stream.fetchedEnd - stop > stream.window / 2) return 0
    stream.fetchedEnd = stop + stream.window
    return stream.window
  }
}
