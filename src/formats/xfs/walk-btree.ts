// Walks the leaves of a B-tree from left to right, each once, with one block of each level in memory.
//
// Why it ends, whatever the image says: levels fall by one with each step down; keys ascend within a block; and the
// items of a child lie between its key and the next key of its parent. So no block can be met twice on a level.
import { readBytes } from '../../images/read-bytes.ts'
import { FormatError, type StructurePlace } from '../format-error.ts'
import { agBlockOffsetBytes, splitFsBlock } from './addresses.ts'
import { parseBtreeBlock, pointerAt, type BtreeBlock } from './btree-block.ts'
import type { BtreeKind } from './btree-kinds.ts'
import type { XfsVolume } from './volume.ts'

/** More than any tree of 2^31 blocks needs, with blocks of the smallest size. */
const LEVEL_COUNT_MAX = 20

export type BtreeWalk = {
  readonly kind: BtreeKind
  /** The AG of a tree with short pointers, null for long ones. */
  readonly agNumber: number | null
  /** What the blocks of version 5 name as theirs: the AG, or the inode; null when it does not matter. */
  readonly owner: number | null
  /** Only leaves that may hold items whose order is from `first` on and below `end`. All by default. */
  readonly window?: { readonly first: number; readonly end: number }
  /** Called for every block that is met, inner ones before their children. */
  readonly onBlock?: (block: BtreeBlock, pointer: number) => void
}

/** A block, as who points to it sees it. */
export type BtreeChild = {
  readonly pointer: number
  /** Its own: 0 for a leaf. */
  readonly level: number
  /** The orders between which its items lie, `low` included; without it, it is a root and they may lie anywhere. */
  readonly bounds?: { readonly low: number; readonly high: number }
  /** Where the pointer was found. */
  readonly place: StructurePlace
}

/**
 * The leaves below `children`, which are all on one level: the root alone, or what the root in an inode points to,
 * with Infinity as the `high` of the last one. Throws FormatError at the first block that is damaged.
 */
export async function* walkBtree(
  volume: XfsVolume,
  walk: BtreeWalk,
  children: readonly BtreeChild[],
): AsyncGenerator<BtreeBlock> {
  const walker = new BtreeWalker(volume, walk)
  for (const { pointer, level, bounds, place } of children) {
    if (level < 0 || level >= LEVEL_COUNT_MAX) {
      throw new FormatError(place, `it says that a B-tree has ${level + 1} levels`)
    }
    const within =
      bounds === undefined
        ? UNBOUNDED
        : { lowMajor: bounds.low, lowMinor: 0, highMajor: bounds.high, highMinor: 0 }
    walker.push({ pointer, level, place, isRoot: bounds === undefined, bounds: within })
    for (let leaf = await walker.nextLeaf(); leaf !== null; leaf = await walker.nextLeaf()) yield leaf
  }
  walker.finish()
}

type Bounds = {
  readonly lowMajor: number
  readonly lowMinor: number
  readonly highMajor: number
  readonly highMinor: number
}
const UNBOUNDED: Bounds = { lowMajor: 0, lowMinor: 0, highMajor: Infinity, highMinor: 0 }

type Visit = {
  readonly pointer: number
  readonly level: number
  readonly place: StructurePlace
  readonly isRoot: boolean
  readonly bounds: Bounds
}
type InnerBlock = { readonly block: BtreeBlock; readonly bounds: Bounds; next: number }
type Neighbour = { readonly pointer: number; readonly block: BtreeBlock }

class BtreeWalker {
  readonly #volume: XfsVolume
  readonly #walk: BtreeWalk
  #pending: Visit | null = null
  /** The inner blocks above the one that comes next, the topmost first. */
  readonly #path: InnerBlock[] = []
  /** By level, the block met last: its right sibling is next. Null after blocks that were left out. */
  readonly #last: (Neighbour | null | undefined)[] = []

  constructor(volume: XfsVolume, walk: BtreeWalk) {
    this.#volume = volume
    this.#walk = walk
  }

  push(visit: Visit): void {
    if (this.#isWanted(visit.bounds)) this.#pending = visit
    else this.#forget(visit.level)
  }

  /** Null when all below what was pushed is done. */
  async nextLeaf(): Promise<BtreeBlock | null> {
    for (let visit = this.#nextVisit(); visit !== null; visit = this.#nextVisit()) {
      const block = await this.#read(visit)
      if (block.level === 0) return block
      this.#path.push({ block, bounds: visit.bounds, next: 0 })
    }
    return null
  }

  /** The last block of a level has no right sibling. */
  finish(): void {
    for (const last of this.#last) {
      if (last !== undefined && last !== null && last.block.right !== null) {
        throw new FormatError(last.block.place, `its right sibling is ${last.block.right}, expected none`)
      }
    }
  }

  #nextVisit(): Visit | null {
    const pending = this.#pending
    if (pending !== null) {
      this.#pending = null
      return pending
    }
    for (let inner = this.#path.at(-1); inner !== undefined; inner = this.#path.at(-1)) {
      const { block } = inner
      const level = block.level - 1
      while (inner.next < block.count) {
        const index = inner.next
        inner.next += 1
        const bounds = this.#boundsOf(inner, index)
        if (this.#isWanted(bounds)) {
          const pointer = pointerAt(block, this.#walk.kind, index)
          return { pointer, level, place: block.place, isRoot: false, bounds }
        }
        this.#forget(level)
      }
      this.#path.pop()
    }
    return null
  }

  #boundsOf({ block, bounds }: InnerBlock, index: number): Bounds {
    const { keyMajor, keyMinor, keyBytes } = this.#walk.kind
    const offset = block.itemsOffset + index * keyBytes
    const isLast = index + 1 === block.count
    return {
      lowMajor: keyMajor(block.view, offset),
      lowMinor: keyMinor(block.view, offset),
      highMajor: isLast ? bounds.highMajor : keyMajor(block.view, offset + keyBytes),
      highMinor: isLast ? bounds.highMinor : keyMinor(block.view, offset + keyBytes),
    }
  }

  #isWanted(bounds: Bounds): boolean {
    const { window } = this.#walk
    return window === undefined || (bounds.lowMajor < window.end && bounds.highMajor > window.first)
  }

  #forget(level: number): void {
    for (let below = 0; below <= level; below += 1) this.#last[below] = null
  }

  async #read({ pointer, level, place: from, isRoot, bounds }: Visit): Promise<BtreeBlock> {
    const { image, superblock } = this.#volume
    const { kind, agNumber, owner } = this.#walk
    const at = agNumber === null ? splitFsBlock(superblock, pointer) : { agNumber, agBlock: pointer }
    const offsetBytes = agBlockOffsetBytes(superblock, at, from)
    const place = { structure: `XFS ${kind.name} block ${at.agBlock} of AG ${at.agNumber}`, offsetBytes }
    const bytes = await readBytes(image, offsetBytes, superblock.blockSizeBytes)
    const block = parseBtreeBlock(bytes, { kind, level, isRoot, owner }, { superblock, place })
    requireWithin(block, kind, bounds)
    this.#requireSiblings(block, pointer)
    this.#walk.onBlock?.(block, pointer)
    return block
  }

  #requireSiblings(block: BtreeBlock, pointer: number): void {
    const last = this.#last[block.level]
    this.#last[block.level] = { pointer, block }
    if (last === null) return
    const expected = last?.pointer ?? null
    if (block.left !== expected) {
      throw new FormatError(
        block.place,
        `its left sibling is ${block.left ?? 'none'}, expected ${expected ?? 'none'}`,
      )
    }
    if (last !== undefined && last.block.right !== pointer) {
      throw new FormatError(
        last.block.place,
        `its right sibling is ${last.block.right ?? 'none'}, expected ${pointer}`,
      )
    }
  }
}

/** The first item is not before the key of the block, the last one before the next key. */
function requireWithin(block: BtreeBlock, kind: BtreeKind, bounds: Bounds): void {
  if (block.count === 0) return
  const isLeaf = block.level === 0
  const major = isLeaf ? kind.recordMajor : kind.keyMajor
  const minor = isLeaf ? kind.recordMinor : kind.keyMinor
  const first = block.itemsOffset
  const last = first + (block.count - 1) * (isLeaf ? kind.recordBytes : kind.keyBytes)
  const isBefore =
    major(block.view, first) < bounds.lowMajor ||
    (major(block.view, first) === bounds.lowMajor && minor(block.view, first) < bounds.lowMinor)
  const isAfter =
    major(block.view, last) > bounds.highMajor ||
    (major(block.view, last) === bounds.highMajor && minor(block.view, last) >= bounds.highMinor)
  if (isBefore || isAfter)
    throw new FormatError(block.place, 'its items are not those its parent has a key for')
}
