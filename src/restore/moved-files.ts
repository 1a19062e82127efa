import { originOf } from '../formats/file-origin.ts'
import type { FileNode } from '../formats/file-system.ts'

export type FoundFile = { readonly path: Uint8Array; readonly node: FileNode }

export type Side = 'before' | 'after'

/** Files that only one of two file systems has under their path: some of them are the same under two names. */
export class MovedFiles {
  /** By what tells a file from every other, also from one that got its inode later. */
  readonly #waiting = { before: new Map<string, FoundFile[]>(), after: new Map<string, FoundFile[]>() }
  readonly #folders: { readonly side: Side; readonly key: string; readonly file: FoundFile }[] = []
  /** Folders that were looked into: one that holds itself must not be looked into again. */
  readonly #opened = { before: new Set<number>(), after: new Set<number>() }
  readonly #pairs: { readonly before: FoundFile; readonly after: FoundFile }[] = []
  readonly #rest = { before: [] as FoundFile[], after: [] as FoundFile[] }

  add(side: Side, file: FoundFile): void {
    const key = keyOf(file.node)
    const other = this.#waiting[side === 'before' ? 'after' : 'before']
    const match = other.get(key)?.pop()
    if (match !== undefined) {
      if (other.get(key)?.length === 0) other.delete(key)
      this.#pairs.push(side === 'before' ? { before: file, after: match } : { before: match, after: file })
      return
    }
    const same = this.#waiting[side].get(key)
    if (same === undefined) this.#waiting[side].set(key, [file])
    else same.push(file)
    if (file.node.kind === 'directory') this.#folders.push({ side, key, file })
  }

  /** What was found to be the same under two names since the last call. */
  takePairs(): readonly { readonly before: FoundFile; readonly after: FoundFile }[] {
    return this.#pairs.splice(0)
  }

  /** A folder that is still without its other name: what is in it came or went with it. Null when there is none. */
  takeFolder(): { readonly side: Side; readonly file: FoundFile } | null {
    for (;;) {
      const folder = this.#folders.shift()
      if (folder === undefined) return null
      const { side, key, file } = folder
      const waiting = this.#waiting[side].get(key) ?? []
      if (!waiting.includes(file)) continue
      waiting.splice(waiting.indexOf(file), 1)
      this.#rest[side].push(file)
      if (this.#opened[side].has(file.node.number)) continue
      this.#opened[side].add(file.node.number)
      return { side, file }
    }
  }

  /** All that stayed without another name. */
  *rest(side: Side): Generator<FoundFile> {
    yield* this.#rest[side]
    for (const files of this.#waiting[side].values()) yield* files
  }
}

function keyOf(node: FileNode): string {
  const { kind, born } = node
  const { number, generation } = originOf(node)
  return `${kind} ${number} ${generation} ${born?.seconds ?? ''} ${born?.nanoseconds ?? ''}`
}
