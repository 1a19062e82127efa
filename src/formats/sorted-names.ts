import { UnmappedError } from './format-error.ts'
import type { DirectoryEntry, FileNode, FileSystem } from './file-system.ts'

/** Of the names of one directory: some forty million of the usual length. */
const NAMES_SIZE_BYTES_MAX = 1024 ** 3
const ENTRIES_FIRST = 128
const NAMES_FIRST_BYTES = 4096

/**
 * The entries of a directory, in the order of the bytes of their names, names that are equal in the order in which they
 * were added. A directory may have millions: each takes 16 bytes beside its name, twice that while they are read.
 */
export class SortedNames {
  #names = new Uint8Array(NAMES_FIRST_BYTES)
  #namesSizeBytes = 0
  /** Where each name begins, by the order of adding; the one behind it begins where it ends. */
  #starts = new Uint32Array(ENTRIES_FIRST)
  #inodeNumbers = new Float64Array(ENTRIES_FIRST)
  #count = 0
  #order: Uint32Array | null = null

  /** Throws what reading the directory throws, and UnmappedError for more than can be held: what was read stays. */
  async read(fileSystem: FileSystem, directory: FileNode, signal: AbortSignal): Promise<void> {
    for await (const batch of fileSystem.readDirectory(directory, signal)) {
      for (const entry of batch) this.#add(entry, directory)
    }
  }

  get count(): number {
    return this.#count
  }

  /** Those from place `start` to before `end` of the order, as far as there are any. */
  slice(start: number, end: number): DirectoryEntry[] {
    const entries: DirectoryEntry[] = []
    for (let place = start; place < end && place < this.#count; place += 1) {
      entries.push({ name: this.nameAt(place), inodeNumber: this.inodeNumberAt(place) })
    }
    return entries
  }

  nameAt(place: number): Uint8Array {
    const index = this.#indexAt(place)
    return this.#names.slice(this.#starts[index], this.#endOf(index))
  }

  inodeNumberAt(place: number): number {
    return this.#inodeNumbers[this.#indexAt(place)] ?? 0
  }

  /** The places from `start` to before `end` in the order of their inodes' numbers, which is mostly that in which they lie. */
  placesByInode(start: number, end: number): Uint32Array {
    const places = new Uint32Array(Math.max(0, Math.min(end, this.#count) - start))
    for (let index = 0; index < places.length; index += 1) places[index] = start + index
    return places.toSorted((a, b) => this.inodeNumberAt(a) - this.inodeNumberAt(b))
  }

  #indexAt(place: number): number {
    return (this.#order ??= this.#sorted())[place] ?? 0
  }

  #add({ name, inodeNumber }: DirectoryEntry, directory: FileNode): void {
    const end = this.#namesSizeBytes + name.byteLength
    if (end > NAMES_SIZE_BYTES_MAX) {
      const what = `directory with more than ${NAMES_SIZE_BYTES_MAX} bytes of names`
      throw new UnmappedError(what, `Cannot list inode ${directory.number}: found a ${what}`)
    }
    while (end > this.#names.byteLength)
      this.#names = new Uint8Array(this.#names.buffer.transfer(2 * this.#names.byteLength))
    if (this.#count === this.#starts.length) {
      this.#starts = new Uint32Array(this.#starts.buffer.transfer(2 * this.#starts.byteLength))
      this.#inodeNumbers = new Float64Array(
        this.#inodeNumbers.buffer.transfer(2 * this.#inodeNumbers.byteLength),
      )
    }
    this.#names.set(name, this.#namesSizeBytes)
    this.#starts[this.#count] = this.#namesSizeBytes
    this.#inodeNumbers[this.#count] = inodeNumber
    this.#namesSizeBytes = end
    this.#count += 1
    this.#order = null
  }

  #endOf(index: number): number {
    return index + 1 < this.#count ? (this.#starts[index + 1] ?? 0) : this.#namesSizeBytes
  }

  #sorted(): Uint32Array {
    const order = new Uint32Array(this.#count)
    for (let index = 0; index < order.length; index += 1) order[index] = index
    return order.toSorted((a, b) => this.#compare(a, b))
  }

  #compare(a: number, b: number): number {
    const names = this.#names
    const [startA, startB] = [this.#starts[a] ?? 0, this.#starts[b] ?? 0]
    const [lengthA, lengthB] = [this.#endOf(a) - startA, this.#endOf(b) - startB]
    const length = Math.min(lengthA, lengthB)
    for (let at = 0; at < length; at += 1) {
      const difference = (names[startA + at] ?? 0) - (names[startB + at] ?? 0)
      if (difference !== 0) return difference
    }
    return lengthA - lengthB
  }
}
