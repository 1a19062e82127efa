import type { ImageRoot } from '../domain/recovery-point.ts'
import type { NodeReader } from '../repository/node-reader.ts'
import { PLACES, type TreeNode } from '../repository/tree-node.ts'
import { spanOf, type TreeShape } from '../repository/tree-shape.ts'

/** Leaves at hand, 10 KiB each; a leaf says where 256 chunks are. */
const LEAVES_MAX = 128

/** Neighbouring chunks that are all stored, or all zeros. Positions and counts are of chunks. */
export type ChunkRun = { readonly first: number; readonly count: number; readonly isSet: boolean }

/** Finds the chunks of one image by their position, through as few nodes of its tree as that takes. */
export class ChunkMap {
  readonly #root: ImageRoot
  readonly #shape: TreeShape
  readonly #nodes: NodeReader
  /** By their number, in the order of their last use, the oldest first; null for zeros. */
  readonly #leaves = new Map<number, TreeNode | null>()

  constructor(image: { readonly root: ImageRoot; readonly shape: TreeShape }, nodes: NodeReader) {
    this.#root = image.root
    this.#shape = image.shape
    this.#nodes = nodes
  }

  /** The id of a chunk; null for zeros. */
  async idAt(position: number): Promise<Uint8Array | null> {
    const leaf = await this.#leaf(Math.floor(position / PLACES))
    const place = position % PLACES
    return leaf?.isSet(place) === true ? leaf.idAt(place) : null
  }

  /** The runs from chunk `first` on, `count` chunks, ascending; neighbours are of different kinds. */
  async *runs(first: number, count: number, signal: AbortSignal): AsyncGenerator<ChunkRun> {
    let open: ChunkRun | null = null
    for await (const run of this.#pieces(first, first + count, signal)) {
      if (open !== null && open.isSet === run.isSet) {
        open = { first: open.first, count: open.count + run.count, isSet: run.isSet }
        continue
      }
      if (open !== null) yield open
      open = run
    }
    if (open !== null) yield open
  }

  async *#pieces(first: number, end: number, signal: AbortSignal): AsyncGenerator<ChunkRun> {
    let at = first
    while (at < end) {
      signal.throwIfAborted()
      const { node, level } = await this.#lowest(Math.floor(at / PLACES))
      const span = spanOf(level)
      const stop = Math.min(end, (Math.floor(at / span) + 1) * span)
      if (node === null) yield { first: at, count: stop - at, isSet: false }
      else for (let chunk = at; chunk < stop;) chunk = yield* runIn(node, chunk, stop)
      at = stop
    }
  }

  async #leaf(number: number): Promise<TreeNode | null> {
    const found = this.#leaves.get(number)
    const leaf = found === undefined ? (await this.#lowest(number)).node : found
    this.#leaves.delete(number)
    this.#leaves.set(number, leaf)
    if (this.#leaves.size > LEAVES_MAX) this.#leaves.delete(this.#leaves.keys().next().value ?? -1)
    return leaf
  }

  /** The leaf, or null and the level of the largest subtree that holds it and is all zeros. */
  async #lowest(leafNumber: number): Promise<{ node: TreeNode | null; level: number }> {
    const { rootLevel } = this.#shape
    if (this.#root.nodeId === null) return { node: null, level: rootLevel }
    let id = Uint8Array.fromHex(this.#root.nodeId)
    for (let level = rootLevel; level > 0; level -= 1) {
      const node = await this.#nodes.readNode(id, level)
      const place = Math.floor(leafNumber / PLACES ** (level - 1)) % PLACES
      if (!node.isSet(place)) return { node: null, level: level - 1 }
      id = node.idAt(place).slice()
    }
    return { node: await this.#nodes.readNode(id, 0), level: 0 }
  }
}

/** The run at `chunk` within one leaf; returns where the next begins. */
function* runIn(leaf: TreeNode, chunk: number, stop: number): Generator<ChunkRun, number> {
  const isSet = leaf.isSet(chunk % PLACES)
  let end = chunk + 1
  while (end < stop && leaf.isSet(end % PLACES) === isSet) end += 1
  yield { first: chunk, count: end - chunk, isSet }
  return end
}
