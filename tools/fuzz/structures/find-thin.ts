import { blockChecksum } from '../../../src/formats/dm-thin/block-checksum.ts'
import { METADATA_BLOCK_BYTES } from '../../../src/formats/dm-thin/layout.ts'
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
  for (let offset = 0; offset + length <= target.sizeBytes; offset += length) {
    const bytes = target.read(offset, length)
    const checksum = viewOf(bytes).getUint32(0, true)
    for (const [kind, salt] of Object.entries(SALTS)) {
      if (checksum === 0 || checksum !== blockChecksum(bytes, salt)) continue
      const mend: LocalStructure['mend'] = (mended) =>
        rewrite(mended, { offset, length }, (block, view) =>
          view.setUint32(0, blockChecksum(block, salt), true),
        )
      found.push({ kind, offset, length, blockBytes: length, mend })
    }
  }
  return found
}
