import { crc32cOfWord } from '../../bytes/crc32c.ts'
import type { FrozenImage } from '../../domain/frozen-image.ts'
import { FormatError, UnmappedError } from '../format-error.ts'
import { loadNodes, type MetadataSource } from './load-nodes.ts'
import { openMappingTree } from './thin-mappings.ts'
import { openThinPool, type ThinPool, type ThinVolume } from './thin-pool.ts'
import { rootRef } from './tree.ts'
import { pushChildren, type NodeDemand, type NodeRef, type TreeNode } from './tree-node.ts'

/** How much of a tree a mark is made of; the upper nodes come first. */
export const MarkNodes = {
  /** 64 KiB, asked again and again. */
  Few: 16,
  /** 1 MiB: all nodes of a volume of 2 GiB in blocks of 64 KiB. */
  Many: 256,
} as const

/**
 * What the mappings of a volume that nobody writes are known by: where the root of their tree lies, and the checksums of its
 * uppermost nodes, level by level. The kernel changes none of it as long as the volume is not written. A tool that makes
 * the metadata anew (`thin_repair`, `thin_restore`) builds other trees, as a rule also of the same mappings; but of a large
 * tree that such a tool had built before, a mapping below these nodes may be changed unseen.
 */
export async function mappingMark(
  { pool, deviceId }: ThinVolume,
  nodeCountMax: number,
  signal: AbortSignal,
): Promise<string> {
  return await new MappingMarks(pool, signal).of(deviceId, nodeCountMax)
}

/** The marks of a pool's volumes at one moment: nodes that they share are read once. */
export class MappingMarks {
  readonly #pool: ThinPool
  readonly #source: MetadataSource
  readonly #known = new Map<string, KnownNode>()

  constructor(pool: ThinPool, signal: AbortSignal) {
    this.#pool = pool
    this.#source = { image: pool.image, signal }
  }

  /** See `mappingMark()`. */
  async of(deviceId: number, nodeCountMax: number): Promise<string> {
    const tree = await openMappingTree(this.#source, { pool: this.#pool, deviceId })
    let checksum = 0
    let nodeCount = 0
    let refs: readonly NodeRef[] = [rootRef(tree)]
    for (let { level } = tree; level >= 0 && nodeCount + refs.length <= nodeCountMax; level -= 1) {
      nodeCount += refs.length
      const nodes = await this.#load({ kind: tree.kind, level }, refs)
      for (const node of nodes) checksum = crc32cOfWord(node.checksum, checksum)
      refs = nodes.flatMap(({ children }) => children)
    }
    return `${tree.root}-${nodeCount}-${checksum.toString(16).padStart(8, '0')}`
  }

  async #load(demand: NodeDemand, refs: readonly NodeRef[]): Promise<readonly KnownNode[]> {
    const unknown = refs.filter((ref) => !this.#known.has(keyOf(demand, ref)))
    for await (const nodes of loadNodes(this.#source, demand, inOneBatch(unknown))) {
      for (const node of nodes) this.#known.set(keyOf(demand, node.ref), knownNode(node, demand))
    }
    return refs.flatMap((ref) => this.#known.get(keyOf(demand, ref)) ?? [])
  }
}

/** What a mark takes of a node. */
type KnownNode = { readonly checksum: number; readonly children: readonly NodeRef[] }

function knownNode(node: TreeNode, { level }: NodeDemand): KnownNode {
  const children: NodeRef[] = []
  if (level > 0) pushChildren(node, children)
  return { checksum: node.checksum, children }
}

/** A node is verified for its place in a tree: in another one it might be wrong. */
function keyOf({ level }: NodeDemand, { block, low, high }: NodeRef): string {
  return `${block} ${level} ${low} ${high}`
}

/**
 * The same, of a pool that is in use, without a metadata snapshot: a few blocks are read. Null when the pool changed its
 * metadata meanwhile, so that what was read may be of no moment; then it has to be asked again, or held still first.
 */
export async function liveMappingMark(
  { image, deviceId }: { readonly image: FrozenImage; readonly deviceId: number },
  nodeCountMax: number,
  signal: AbortSignal,
): Promise<string | null> {
  try {
    const before = await openThinPool(image, { snapshot: false })
    const mark = await mappingMark({ pool: before, deviceId }, nodeCountMax, signal)
    const after = await openThinPool(image, { snapshot: false })
    const isSame =
      before.roots.mappingRoot === after.roots.mappingRoot && before.transactionId === after.transactionId
    return isSame ? mark : null
  } catch (error) {
    if (error instanceof FormatError || error instanceof UnmappedError) return null
    throw error
  }
}

async function* inOneBatch(refs: readonly NodeRef[]): AsyncGenerator<readonly NodeRef[]> {
  yield await Promise.resolve(refs)
}
