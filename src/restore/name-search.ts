import type { FileSystem } from '../formats/file-system.ts'

export type NameSearch = {
  /** How many names of each file are still to be found; used up. */
  readonly missing: Map<number, number>
  /** Folders whose names are counted already. */
  readonly known: ReadonlySet<number>
}

/**
 * The folders in which the missing names are. Folders are read in the order of how near their inodes are to those that
 * are looked for: a file mostly gets an inode near that of its folder. Ends when no name is missing.
 */
export async function foldersWithNames(
  fileSystem: FileSystem,
  { missing, known }: NameSearch,
  signal: AbortSignal,
): Promise<ReadonlySet<number>> {
  const found = new Set<number>()
  const seen = new Set([fileSystem.rootInodeNumber])
  let frontier = new Frontier(missing)
  frontier.push(fileSystem.rootInodeNumber)
  for (let number = frontier.pop(); number !== null && missing.size > 0; number = frontier.pop()) {
    signal.throwIfAborted()
    const node = await fileSystem.readNode(number)
    if (node.kind !== 'directory') continue
    for await (const entries of fileSystem.readDirectory(node, signal)) {
      for (const { inodeNumber, mayBeDirectory } of entries) {
        if (!known.has(number) && countName(missing, inodeNumber)) found.add(number)
        if (mayBeDirectory === false || seen.has(inodeNumber)) continue
        seen.add(inodeNumber)
        frontier.push(inodeNumber)
      }
    }
    if (missing.size < frontier.targetCount / 2) frontier = frontier.aimedAt(missing)
  }
  return found
}

/** Takes one off the names that are missing. */
export function countName(missing: Map<number, number>, number: number): boolean {
  const count = missing.get(number)
  if (count === undefined) return false
  if (count === 1) missing.delete(number)
  else missing.set(number, count - 1)
  return true
}

/** Folders that are to be read, the one nearest to a number that is looked for first: a heap. */
class Frontier {
  readonly #targets: Float64Array
  readonly #heap: { readonly number: number; readonly distance: number }[] = []

  constructor(missing: ReadonlyMap<number, number>) {
    this.#targets = Float64Array.from(missing.keys()).toSorted()
  }

  get targetCount(): number {
    return this.#targets.length
  }

  aimedAt(missing: ReadonlyMap<number, number>): Frontier {
    const frontier = new Frontier(missing)
    for (const { number } of this.#heap) frontier.push(number)
    return frontier
  }

  push(number: number): void {
    const heap = this.#heap
    let at = heap.length
    const item = { number, distance: this.#distanceOf(number) }
    heap.push(item)
    while (at > 0) {
      const above = (at - 1) >>> 1
      const parent = heap[above]
      if (parent === undefined || parent.distance <= item.distance) break
      heap[at] = parent
      at = above
    }
    heap[at] = item
  }

  pop(): number | null {
    const heap = this.#heap
    const [first] = heap
    const last = heap.pop()
    if (first === undefined || last === undefined) return null
    if (heap.length > 0) this.#sink(last)
    return first.number
  }

  #sink(item: { readonly number: number; readonly distance: number }): void {
    const heap = this.#heap
    let at = 0
    for (;;) {
      const [left, right] = [heap[2 * at + 1], heap[2 * at + 2]]
      if (left === undefined) break
      const isRight = right !== undefined && right.distance < left.distance
      const child = isRight ? right : left
      if (child.distance >= item.distance) break
      heap[at] = child
      at = 2 * at + (isRight ? 2 : 1)
    }
    heap[at] = item
  }

  #distanceOf(number: number): number {
    const targets = this.#targets
    let low = 0
    let high = targets.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((targets[middle] ?? 0) >= number) high = middle
      else low = middle + 1
    }
    return Math.min(
      Math.abs((targets[low] ?? Infinity) - number),
      Math.abs(number - (targets[low - 1] ?? -Infinity)),
    )
  }
}
