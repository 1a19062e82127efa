import { formatPathBytes } from '../../domain/path-text.ts'

/** Named in the message of a run; the others are counted. */
const NAMED_MAX = 10

/** Files that are not, or not wholly, in a file set, and why. */
export class UnreadableFiles {
  readonly #named: string[] = []
  #count = 0

  get count(): number {
    return this.#count
  }

  /** `path` without a slash at its start. */
  add(path: Uint8Array, sentence: string): void {
    this.#count += 1
    if (this.#named.length < NAMED_MAX) this.#named.push(`"/${formatPathBytes(path)}" (${sentence})`)
  }

  /** For people, with the names of the first ones. */
  describe(): string {
    const more = this.#count > this.#named.length ? `, and ${this.#count - this.#named.length} more` : ''
    const what = this.#count === 1 ? '1 file is' : `${this.#count} files are`
    return `${what} not wholly in the point, because they cannot be read: ${this.#named.join(', ')}${more}`
  }
}
