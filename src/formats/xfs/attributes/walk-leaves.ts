import { FormatError } from '../../format-error.ts'
import type { InodeFork } from '../fork-extents.ts'
import type { XfsVolume } from '../volume.ts'
import { readAttributeBlock, type AttributeBlock } from './attribute-block.ts'
import { parseAttributeLeaf, type AttributeLeaf } from './leaf.ts'
import { parseAttributeNode } from './node.ts'

const ROOT_BLOCK = 0

/**
 * The leaves of the tree of attributes in ascending order: down to the first one, then from neighbour to neighbour.
 * It ends, whatever the image says: levels fall, and no block is visited twice.
 */
export async function* walkAttributeLeaves(
  volume: XfsVolume,
  file: InodeFork,
): AsyncGenerator<AttributeLeaf> {
  const visited = new Set<number>()
  let number = ROOT_BLOCK
  let block = await readAttributeBlock(volume, file, number)
  let levelBelow: number | null = null
  while (block.kind === 'node') {
    const { level, firstChild } = parseAttributeNode(block)
    if (levelBelow !== null && level !== levelBelow) {
      throw new FormatError(block.place, `level is ${level}, expected ${levelBelow}`)
    }
    levelBelow = level - 1
    if (levelBelow === 0 && firstChild === ROOT_BLOCK)
      throw new FormatError(block.place, 'it is its own child')
    number = firstChild
    block = await readAttributeBlock(volume, file, number)
    if (levelBelow === 0) requireLeaf(block)
  }
  if (levelBelow !== null && levelBelow !== 0)
    throw new FormatError(block.place, 'it is a leaf, expected a node')
  yield* walkNeighbours(volume, file, { number, block, visited })
}

async function* walkNeighbours(
  volume: XfsVolume,
  file: InodeFork,
  first: { readonly number: number; readonly block: AttributeBlock; readonly visited: Set<number> },
): AsyncGenerator<AttributeLeaf> {
  const { visited } = first
  let { number, block } = first
  let lastHash = 0
  for (;;) {
    visited.add(number)
    const leaf = parseAttributeLeaf(block)
    if (leaf.hashes !== null && leaf.hashes.first < lastHash) {
      throw new FormatError(block.place, 'its hashes are below those of the leaf before it')
    }
    lastHash = leaf.hashes?.last ?? lastHash
    yield leaf
    const { next } = block
    if (next === 0) return
    if (visited.has(next))
      throw new FormatError(block.place, `its next leaf is ${next}, which was met before`)
    block = await readAttributeBlock(volume, file, next)
    requireLeaf(block)
    if (block.previous !== number) {
      throw new FormatError(block.place, `its previous leaf is ${block.previous}, expected ${number}`)
    }
    number = next
  }
}

function requireLeaf(block: AttributeBlock): void {
  if (block.kind !== 'leaf') throw new FormatError(block.place, 'it is a node, expected a leaf')
}
