import { lvmChecksum } from '../../../src/formats/lvm2/lvm-checksum.ts'
import { lvmHeaderFields, lvmLabelFields } from '../fields/volume-fields.ts'
import { rewrite, viewOf, type LocalStructure, type Target } from '../structure.ts'

const LABEL = { offset: 512, length: 512 }
const AREA_OFFSET = 4096
const HEADER = { offset: AREA_OFFSET, length: 512 }
const SLOT = 0x28
/** Room for a text to grow into, free behind it. */
const TEXT_ROOM = 1024

/** The label, the metadata area's header and its text, as `pvcreate` lays them out. */
export function findLvm2(target: Target): LocalStructure[] {
  const slot = viewOf(target.read(AREA_OFFSET + SLOT, 24))
  const text = {
    offset: AREA_OFFSET + Number(slot.getBigUint64(0, true)),
    length: Number(slot.getBigUint64(8, true)) + TEXT_ROOM,
  }
  const shared = { blockBytes: 512, isChecked: true }
  return [
    { kind: 'label', ...LABEL, ...shared, fields: lvmLabelFields, mend: mendLabel },
    { kind: 'area header', ...HEADER, ...shared, fields: lvmHeaderFields, mend: mendHeader },
    // Most of what there is to get wrong: more than half of all damage is the text's.
    ...['text', 'text again', 'text once more'].map((kind): LocalStructure => {
      return { kind, ...text, blockBytes: 512, grammar: 'text', mend: (mended) => mendText(mended, text) }
    }),
  ]
}

function mendLabel(target: Target): void {
  rewrite(target, LABEL, (bytes, view) => view.setUint32(16, lvmChecksum(bytes.subarray(20)), true))
}

function mendHeader(target: Target): void {
  rewrite(target, HEADER, (bytes, view) => view.setUint32(0, lvmChecksum(bytes.subarray(4)), true))
}

/** The text ends with the first zero, which belongs to it. */
function mendText(
  target: Target,
  { offset, length }: { readonly offset: number; readonly length: number },
): void {
  const bytes = target.read(offset, length)
  const zero = bytes.indexOf(0)
  const sizeBytes = zero === -1 ? length : zero + 1
  rewrite(target, HEADER, (_, view) => {
    view.setBigUint64(SLOT + 8, BigInt(sizeBytes), true)
    view.setUint32(SLOT + 16, lvmChecksum(bytes.subarray(0, sizeBytes)), true)
  })
  mendHeader(target)
}
