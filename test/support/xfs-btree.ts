import assert from 'node:assert/strict'

import type { BtreeKind } from '../../src/formats/xfs/btree-kinds.ts'

export type MadeBtree = { readonly root: number; readonly levels: number; readonly nextBlock: number }

export type BtreePlan = {
  readonly kind: BtreeKind
  readonly blockSizeBytes: number
  /** The blocks are taken from here on, in the order of the leaves. */
  readonly firstBlock: number
  /** Ascending; the first word of each record, the rest is zero. */
  readonly records: readonly number[]
  /** Of records in a leaf and of pointers in an inner block. */
  readonly fill: number
}

type Node = { readonly block: number; readonly key: number }

/** Writes a B-tree of version 4 with short pointers into an AG at byte 0: no checksums are in the way of damage. */
export function writeXfsBtree(ag: Uint8Array, plan: BtreePlan): MadeBtree {
  let nextBlock = plan.firstBlock
  let level = 0
  let items: readonly Node[] = plan.records.map((key) => ({ block: 0, key }))
  for (;;) {
    const nodes: Node[] = []
    const first = nextBlock
    const count = Math.max(1, Math.ceil(items.length / plan.fill))
    for (let index = 0; index < count; index += 1) {
      const inside = items.slice(index * plan.fill, (index + 1) * plan.fill)
      const block = first + index
      writeBlock(ag, plan, { block, level, inside, isFirst: index === 0, isLast: index + 1 === count })
      nodes.push({ block, key: inside[0]?.key ?? 0 })
    }
    nextBlock += count
    if (nodes.length === 1) return { root: first, levels: level + 1, nextBlock }
    items = nodes
    level += 1
  }
}

type BlockPlan = {
  readonly block: number
  readonly level: number
  readonly inside: readonly Node[]
  readonly isFirst: boolean
  readonly isLast: boolean
}

function writeBlock(
  ag: Uint8Array,
  plan: BtreePlan,
  { block, level, inside, isFirst, isLast }: BlockPlan,
): void {
  const { kind, blockSizeBytes } = plan
  const headerBytes = 16
  const view = new DataView(ag.buffer, ag.byteOffset + block * blockSizeBytes, blockSizeBytes)
  view.setUint32(0, kind.magic[4])
  view.setUint16(4, level)
  view.setUint16(6, inside.length)
  view.setUint32(8, isFirst ? 0xffff_ffff : block - 1)
  view.setUint32(12, isLast ? 0xffff_ffff : block + 1)
  const itemBytes = level === 0 ? kind.recordBytes : kind.keyBytes
  const countMax = Math.floor(
    (blockSizeBytes - headerBytes) / (level === 0 ? kind.recordBytes : kind.keyBytes + kind.pointerBytes),
  )
  assert(inside.length <= countMax)
  inside.forEach((node, index) => {
    view.setUint32(headerBytes + index * itemBytes, node.key)
    if (level > 0)
      view.setUint32(headerBytes + countMax * kind.keyBytes + index * kind.pointerBytes, node.block)
  })
}
