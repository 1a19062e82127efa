import { open, type FileHandle } from 'node:fs/promises'

/** Packs are read in many small pieces: this many stay open. */
const OPEN_MAX = 32

type Entry = { readonly opening: Promise<FileHandle>; users: number; isForgotten: boolean }
type Lease = { readonly handle: FileHandle } & Disposable

/** Files that were read lately, kept open; the least recently used is closed when nobody reads it. */
export class OpenFiles implements AsyncDisposable {
  readonly #entries = new Map<string, Entry>()
  #isClosed = false

  /** Refuses when it was disposed of: who fetches ahead may come late, and would leave a file open for ever. */
  async open(path: string): Promise<Lease> {
    if (this.#isClosed) throw new Error('nothing is read here any more')
    const entry = this.#entries.get(path) ?? { opening: open(path, 'r'), users: 0, isForgotten: false }
    this.#entries.delete(path)
    this.#entries.set(path, entry)
    entry.users += 1
    try {
      const handle = await entry.opening
      this.#closeOldest()
      return { handle, [Symbol.dispose]: () => this.#release(entry) }
    } catch (error) {
      if (this.#entries.get(path) === entry) this.#entries.delete(path)
      throw error
    }
  }

  /** The name is gone, or is that of another file now: who reads may finish, nobody else begins. */
  forget(path: string): void {
    const entry = this.#entries.get(path)
    if (entry === undefined) return
    this.#entries.delete(path)
    entry.isForgotten = true
    if (entry.users === 0) void closeQuietly(entry)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    const entries = [...this.#entries.values()]
    this.#entries.clear()
    for (const entry of entries) await closeQuietly(entry)
  }

  #release(entry: Entry): void {
    entry.users -= 1
    if (entry.isForgotten && entry.users === 0) void closeQuietly(entry)
  }

  #closeOldest(): void {
    if (this.#entries.size <= OPEN_MAX) return
    for (const [path, entry] of this.#entries) {
      if (entry.users > 0) continue
      this.#entries.delete(path)
      void closeQuietly(entry)
      return
    }
  }
}

/** Closing a file that was only read cannot lose anything. */
async function closeQuietly(entry: Entry): Promise<void> {
  try {
    await (await entry.opening).close()
  } catch {
    // Nothing was written through this handle.
  }
}
