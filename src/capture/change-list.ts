import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import type { Range, RangeBatch } from '../domain/range.ts'

/**
 * A list of what changed, from outside: a JSON array of objects with "offset" and "length" in bytes, ascending and
 * not overlapping, as `rbd diff --format=json` writes it. "exists" may be there; it is not needed, because what
 * is a hole is asked of the image itself. The objects are flat, so the text can be cut after any brace and parsed
 * in pieces: memory is what the ranges take, 16 bytes each.
 */
export type ChangeList = {
  readonly rangeCount: number
  readonly listedBytes: number
  /** May be walked any number of times. */
  ranges(): AsyncGenerator<RangeBatch>
}

/** Ranges after touching ones are merged: 64 MiB of memory. A list longer than that describes no backup worth a list. */
const RANGES_MAX = 4_194_304
/** No object of a list is longer. */
const OBJECT_LENGTH_MAX = 4096
const BATCH_LENGTH = 4096

/** Reads and checks a list for an image of `sizeBytes`. Throws CHANGE_LIST_WRONG. */
export async function parseChangeList(
  text: AsyncIterable<string>,
  about: { readonly name: string; readonly sizeBytes: number },
): Promise<ChangeList> {
  const collector = new RangeCollector(about)
  for await (const objects of objectsOf(text, about.name)) for (const object of objects) collector.add(object)
  return collector.list()
}

class RangeCollector {
  readonly #about: { readonly name: string; readonly sizeBytes: number }
  #numbers = new Float64Array(2048)
  #count = 0
  #listedBytes = 0
  #entry = 0

  constructor(about: { readonly name: string; readonly sizeBytes: number }) {
    this.#about = about
  }

  add(object: unknown): void {
    const range = rangeOf(object)
    if (range === null) throw this.#wrong('expected {"offset": N, "length": N} with whole numbers of bytes')
    const end = range.offset + range.length
    const last = this.#lastEnd()
    if (range.offset < last)
      throw this.#wrong(`it begins at ${range.offset}, inside or before the entry that ends at ${last}`)
    if (end > this.#about.sizeBytes) {
      throw this.#wrong(`it ends at ${end}, beyond the end of the image at ${this.#about.sizeBytes}`)
    }
    this.#entry += 1
    this.#listedBytes += range.length
    if (range.length === 0) return
    if (range.offset === last && this.#count > 0) this.#numbers[this.#count * 2 - 1] = end
    else this.#push(range.offset, end)
  }

  list(): ChangeList {
    const numbers = this.#numbers.subarray(0, this.#count * 2)
    return {
      rangeCount: this.#count,
      listedBytes: this.#listedBytes,
      async *ranges() {
        for (let first = 0; first < numbers.length; first += 2 * BATCH_LENGTH) {
          const batch: Range[] = []
          for (let at = first; at < Math.min(numbers.length, first + 2 * BATCH_LENGTH); at += 2) {
            const offset = numbers[at] ?? 0
            batch.push({ offset, length: (numbers[at + 1] ?? 0) - offset })
          }
          yield await Promise.resolve(batch)
        }
      },
    }
  }

  #lastEnd(): number {
    return this.#count === 0 ? 0 : (this.#numbers[this.#count * 2 - 1] ?? 0)
  }

  #push(offset: number, end: number): void {
    if (this.#count === RANGES_MAX) throw this.#wrong(`there are more than ${RANGES_MAX} separate ranges`)
    if (this.#count * 2 === this.#numbers.length) {
      const grown = new Float64Array(this.#numbers.length * 2)
      grown.set(this.#numbers)
      this.#numbers = grown
    }
    this.#numbers[this.#count * 2] = offset
    this.#numbers[this.#count * 2 + 1] = end
    this.#count += 1
  }

  #wrong(finding: string): BackupError {
    const message = `Cannot use change list "${this.#about.name}": entry ${this.#entry}: ${finding}`
    return new BackupError(ErrorCode.ChangeListWrong, message, {
      data: { name: this.#about.name, entry: this.#entry },
    })
  }
}

function rangeOf(object: unknown): Range | null {
  if (typeof object !== 'object' || object === null || !('offset' in object) || !('length' in object))
    return null
  const { offset, length } = object
  if (!isCount(offset) || !isCount(length) || !Number.isSafeInteger(offset + length)) return null
  return { offset, length }
}

/** Parses `[ {…}, {…} ]` piece by piece; whatever is not of this form is refused by the JSON parser or here. */
async function* objectsOf(text: AsyncIterable<string>, name: string): AsyncGenerator<readonly unknown[]> {
  let rest = ''
  let isOpen = false
  let isFirst = true
  for await (const piece of text) {
    rest += piece
    if (!isOpen) {
      rest = rest.trimStart()
      if (rest === '') continue
      if (!rest.startsWith('[')) throw notJson(name, 'it does not begin with [')
      isOpen = true
      rest = rest.slice(1)
    }
    const end = rest.lastIndexOf('}')
    if (end < 0) {
      if (rest.length > OBJECT_LENGTH_MAX)
        throw notJson(name, `no entry ends within ${OBJECT_LENGTH_MAX} characters`)
      continue
    }
    yield parsePiece(rest.slice(0, end + 1), { name, isFirst })
    isFirst = false
    rest = rest.slice(end + 1)
  }
  if (!isOpen) throw notJson(name, 'it is empty')
  if (rest.trim() !== ']') throw notJson(name, 'it does not end with ]')
}

function parsePiece(
  text: string,
  about: { readonly name: string; readonly isFirst: boolean },
): readonly unknown[] {
  const body = about.isFirst ? text : text.trimStart().replace(/^,/, '')
  if (!about.isFirst && body.length === text.trimStart().length)
    throw notJson(about.name, 'a comma is missing between two entries')
  let value: unknown
  try {
    value = JSON.parse(`[${body}]`)
  } catch (cause) {
    throw notJson(about.name, cause instanceof Error ? cause.message : String(cause))
  }
  return Array.isArray(value) ? value : []
}

function notJson(name: string, finding: string): BackupError {
  const message = `Cannot use change list "${name}": it is not a JSON array of ranges: ${finding}`
  return new BackupError(ErrorCode.ChangeListWrong, message, { data: { name } })
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
