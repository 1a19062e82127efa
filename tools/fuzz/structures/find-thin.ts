import { blockChecksum } from '../../../src/formats/dm-thin/block-checksum.ts'
import { readStruct } from '../../../src/bytes/struct.ts'
import { METADATA_BLOCK_BYTES, NODE, NODE_INNER, SUPERBLOCK } from '../../../src/formats/dm-thin/layout.ts'
import { thinFields } from '../fields/volume-fields.ts'
import { rewrite, viewOf, type LocalStructure, type Target } from '../structure.ts'

/** What each kind of block adds to its checksum: the device-mapper's documentation of persistent data. */
const SALTS: Readonly<Record<string, number>> = {
  superblock: 160_774,
  node: 121_107,
  bitmap: 240_779,
  'bitmap index': 160_478,
}

/** Blocks of a thin pool's metadata, each of the kind whose checksum it has. */
export function findThin(target: Target): LocalStructure[] {
  const length = METADATA_BLOCK_BYTES
  const found: LocalStructure[] = []
  const read = blocksOfTrees(target)
  for (let offset = 0; offset + length <= target.sizeBytes; offset += length) {
    const bytes = target.read(offset, length)
    const checksum = viewOf(bytes).getUint32(0, true)
    for (const [kind, salt] of Object.entries(SALTS)) {
      if (checksum === 0 || checksum !== blockChecksum(bytes, salt)) continue
      const mend: LocalStructure['mend'] = (mended) =>
        rewrite(mended, { offset, length }, (block, view) =>
          view.setUint32(0, blockChecksum(block, salt), true),
        )
      const isRead = kind === 'superblock' || (kind === 'node' && read.has(offset / length))
      const shared = { isRead, isChecked: true }
      found.push({ kind, offset, length, blockBytes: length, ...shared, fields: thinFields(kind), mend })
    }
  }
  return found
}

/**
 * The nodes of the mappings, now and in the snapshot that is held. Space maps are not read, and the details of devices
 * only by who lists them.
 */
function blocksOfTrees(target: Target): ReadonlySet<number> {
  const found = new Set<number>()
  const visit = (block: number, treesBelow: number): void => {
    found.add(block)
    const view = viewOf(target.read(block * METADATA_BLOCK_BYTES, METADATA_BLOCK_BYTES))
    const isInner = view.getUint32(NODE.flags, true) === NODE_INNER
    if (!isInner && treesBelow === 0) return
    const values = NODE.keys + view.getUint32(NODE.entryCountMax, true) * 8
    for (let index = 0; index < view.getUint32(NODE.entryCount, true); index += 1) {
      visit(Number(view.getBigUint64(values + index * 8, true)), isInner ? treesBelow : treesBelow - 1)
    }
  }
  for (let block = 0; ;) {
    const superblock = readStruct(SUPERBLOCK, target.read(block * METADATA_BLOCK_BYTES, METADATA_BLOCK_BYTES))
    visit(superblock.mappingRoot, 1)
    if (block !== 0 || superblock.heldRoot === 0) return found
    block = superblock.heldRoot
  }
}
