import { lvmChecksum } from '../../../src/formats/lvm2/lvm-checksum.ts'
import { rewrite, viewOf, type LocalStructure, type Target } from '../structure.ts'

const LABEL = { offset: 512, length: 512 }
const AREA_OFFSET = 4096
const HEADER = { offset: AREA_OFFSET, length: 512 }
const SLOT = 0x28

/** The label, the metadata area's header and its text, as `pvcreate` lays them out. */
export function findLvm2(target: Target): LocalStructure[] {
  const slot = viewOf(target.read(AREA_OFFSET + SLOT, 24))
  const text = {
    offset: AREA_OFFSET + Number(slot.getBigUint64(0, true)),
    length: Number(slot.getBigUint64(8, true)),
  }
  const mendHeader = (mended: Target): void =>
    rewrite(mended, HEADER, (bytes, view) => view.setUint32(0, lvmChecksum(bytes.subarray(4)), true))
  const mendText = (mended: Target): void => {
    const checksum = lvmChecksum(mended.read(text.offset, text.length))
    rewrite(mended, HEADER, (_, view) => view.setUint32(SLOT + 16, checksum, true))
    mendHeader(mended)
  }
  const blockBytes = 512
  return [
    {
      kind: 'label',
      ...LABEL,
      blockBytes,
      mend: (mended) =>
        rewrite(mended, LABEL, (bytes, view) => view.setUint32(16, lvmChecksum(bytes.subarray(20)), true)),
    },
    { kind: 'area header', ...HEADER, blockBytes, mend: mendHeader },
    // Most of what there is to get wrong: half of all damage is the text's.
    { kind: 'text', ...text, blockBytes, mend: mendText },
    { kind: 'text again', ...text, blockBytes, mend: mendText },
  ]
}
