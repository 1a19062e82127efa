import type { PointObject, StoredPoint } from '../../domain/recovery-point.ts'
import type { PackReader } from '../pack-reader.ts'
import { NODE_SIZE_MAX, parseTreeNode, PLACES, type TreeNode } from '../tree-node.ts'
import { spanOf, treeShape } from '../tree-shape.ts'
import type { CheckIndex, PackState } from './check-index.ts'
import type { Damages, DamageSet } from './damages.ts'
import { IdTable } from './id-table.ts'
import { CheckCode } from './problem.ts'
import { damageOf } from './unreadable.ts'

/** Leaves that are read at a time. */
const READS_MAX = 8
/** What fits beside the counts in the 32 bits that are kept of a leaf. */
const LEAF_SETS_MAX = 2 ** 15

export type CheckTreesParts = {
  readonly index: CheckIndex
  readonly packs: PackReader
  readonly damages: Damages
  readonly chunkSizeBytes: number
  readonly signal: AbortSignal
}

/** What is known of a subtree once it was walked. */
type Subtree = {
  readonly chunkCount: number
  /** The place after its last chunk, counted from its own first. */
  readonly end: number
  readonly damage: DamageSet
}

type Reference = {
  readonly id: Uint8Array
  readonly level: number
  /** What the node above says. */
  readonly chunkCount: number
}

/** Walks the trees of points; what several points or several places share is walked once. */
export class TreeChecker {
  readonly #parts: CheckTreesParts
  /** Of each leaf: chunk count less one, last place, number of its damages; 8, 8 and 15 bits. */
  readonly #leaves = new IdTable()
  readonly #inner = new Map<string, Subtree>()
  #nodeCount = 0
  #chunkCount = 0

  constructor(parts: CheckTreesParts) {
    this.#parts = parts
  }

  /** Nodes that were read. */
  get nodeCount(): number {
    return this.#nodeCount
  }

  /** Chunks that leaves refer to and that were looked up; one that two leaves share counts twice. */
  get chunkCount(): number {
    return this.#chunkCount
  }

  async checkPoint(stored: StoredPoint): Promise<void> {
    for (const object of stored.point.objects) {
      this.#parts.damages.hurt(await this.#checkObject(object), stored.id)
    }
  }

  async #checkObject(object: PointObject): Promise<DamageSet> {
    const { root, sizeBytes, name } = object
    const shape = treeShape({ sizeBytes, chunkSizeBytes: this.#parts.chunkSizeBytes })
    if (root.nodeId === null) {
      return root.chunkCount === 0 ? 0 : this.#wrong(`object "${name}" counts chunks and has no tree`)
    }
    const { chunkCount } = root
    const found = await this.#visit({
      id: Uint8Array.fromHex(root.nodeId),
      level: shape.rootLevel,
      chunkCount,
    })
    if (found.end <= shape.chunkCount) return found.damage
    const message = `object "${name}" has ${shape.chunkCount} chunks, its tree goes up to ${found.end}`
    return this.#parts.damages.union(found.damage, this.#wrong(message))
  }

  /** As `#walk`, from memory where it was walked before; and compares what the node above counts. */
  async #visit(reference: Reference): Promise<Subtree> {
    const subtree = this.#recall(reference) ?? (await this.#walk(reference))
    if (subtree.chunkCount === reference.chunkCount) return subtree
    const id = reference.id.toHex()
    const message = `${subtree.chunkCount} chunks are below tree node ${id}, the node above counts ${reference.chunkCount}`
    return { ...subtree, damage: this.#parts.damages.union(subtree.damage, this.#wrong(message)) }
  }

  async #walk(reference: Reference): Promise<Subtree> {
    this.#parts.signal.throwIfAborted()
    const read = await this.#readNode(reference)
    if (read.node === null) return { chunkCount: reference.chunkCount, end: 0, damage: read.damage }
    this.#nodeCount += 1
    const below = reference.level === 0 ? this.#checkLeaf(read.node) : await this.#checkInner(read.node)
    const subtree = { ...below, damage: this.#parts.damages.union(below.damage, read.damage) }
    this.#remember(reference, subtree)
    return subtree
  }

  #checkLeaf(node: TreeNode): Subtree {
    let chunkCount = 0
    let end = 0
    let damage: DamageSet = 0
    for (let place = 0; place < PLACES; place += 1) {
      if (!node.isSet(place)) continue
      chunkCount += 1
      end = place + 1
      damage = this.#parts.damages.union(damage, this.#damageOfChunk(node.idAt(place)))
    }
    this.#chunkCount += chunkCount
    return { chunkCount, end, damage }
  }

  async #checkInner(node: TreeNode): Promise<Subtree> {
    const level = node.level - 1
    const places = [...node.chunkCounts.keys()].filter((place) => node.isSet(place))
    const atOnce = level === 0 ? READS_MAX : 1
    let chunkCount = 0
    let end = 0
    let damage: DamageSet = 0
    for (let at = 0; at < places.length; at += atOnce) {
      const some = places.slice(at, at + atOnce)
      const children = await Promise.all(
        some.map((place) =>
          this.#visit({ id: node.idAt(place), level, chunkCount: node.chunkCounts[place] ?? 0 }),
        ),
      )
      for (const [index, child] of children.entries()) {
        chunkCount += child.chunkCount
        if (child.end > 0) end = (some[index] ?? 0) * spanOf(level) + child.end
        damage = this.#parts.damages.union(damage, child.damage)
      }
    }
    return { chunkCount, end, damage }
  }

  /** None when any sound pack has it. */
  #damageOfChunk(id: Uint8Array): DamageSet {
    const { index, damages } = this.#parts
    let lost: DamageSet = 0
    let needed: DamageSet = 0
    let isKnown = false
    for (const pack of index.packsOfChunk(id)) {
      if (pack.damage === null) return 0
      isKnown = true
      const isLost = pack.sizeBytes === null || index.lostEntries.has(id, pack.number)
      if (isLost) lost = damages.union(lost, damages.lost(pack.damage))
      else needed = damages.needed(pack.damage)
    }
    if (!isKnown) return this.#missing(CheckCode.ChunkMissing, id)
    return needed === 0 ? lost : needed
  }

  async #readNode(reference: Reference): Promise<{ node: TreeNode | null; damage: DamageSet }> {
    const { index, damages, packs } = this.#parts
    const places = index.placesOfNode(reference.id)
    if (places.length === 0) return { node: null, damage: this.#missing(CheckCode.NodeMissing, reference.id) }
    let damage: DamageSet = 0
    for (const { pack, location } of places) {
      try {
        if (location.storedSize > 2 * NODE_SIZE_MAX)
          throw new SyntaxError(`tree node ${reference.id.toHex()} has ${location.storedSize} bytes`)
        const node = parseTreeNode(await packs.readNode(reference.id, location), reference.level)
        return { node, damage: pack.damage === null ? 0 : damages.needed(pack.damage) }
      } catch (error) {
        const own = damages.lost(this.#damagedNode(pack, damageOf(error)))
        damage = damages.union(damage, own)
      }
    }
    return { node: null, damage }
  }

  #damagedNode(pack: PackState, reason: string): NonNullable<PackState['damage']> {
    if (pack.damage !== null) return pack.damage
    const damage = this.#parts.damages.of(CheckCode.NodeDamaged, { packId: pack.id, reason })
    damage.lostCount += 1
    pack.damage = damage
    return damage
  }

  #missing(code: CheckCode, id: Uint8Array): DamageSet {
    const kind = code === CheckCode.ChunkMissing ? 'chunk' : 'tree node'
    const reason = `no pack is known to hold ${kind} ${id.toHex()}`
    const damage = this.#parts.damages.of(code, { packId: null, reason })
    damage.lostCount += 1
    return this.#parts.damages.lost(damage)
  }

  /** A tree that is sealed and says what cannot be: it was written wrong. */
  #wrong(reason: string): DamageSet {
    const damage = this.#parts.damages.of(CheckCode.NodeDamaged, { packId: null, reason })
    damage.lostCount += 1
    return this.#parts.damages.lost(damage)
  }

  #recall(reference: Reference): Subtree | null {
    if (reference.level > 0) return this.#inner.get(keyOf(reference)) ?? null
    const slot = this.#leaves.find(reference.id)
    if (slot < 0) return null
    const word = this.#leaves.valueAt(slot)
    return { chunkCount: (word & 0xff) + 1, end: ((word >> 8) & 0xff) + 1, damage: word >> 16 }
  }

  #remember(reference: Reference, subtree: Subtree): void {
    if (reference.level > 0) this.#inner.set(keyOf(reference), subtree)
    else if (subtree.damage < LEAF_SETS_MAX && subtree.chunkCount > 0 && subtree.end > 0)
      this.#leaves.add(
        reference.id,
        (subtree.chunkCount - 1) | ((subtree.end - 1) << 8) | (subtree.damage << 16),
      )
  }
}

function keyOf(reference: Reference): string {
  return `${reference.level} ${reference.id.toHex()}`
}
