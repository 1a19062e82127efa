import type { FileNode } from '../file-system.ts'
import { FormatError } from '../format-error.ts'
import type { Inode } from './inode.ts'

const DEVICE_BYTES = 4
const MINOR_BITS = 18

/** What an inode says of its file, without how its content is kept. */
export function fileNode(inode: Inode): FileNode {
  const { number, generation, kind, mode, userId, groupId, linkCount, accessed, modified, changed, born } =
    inode
  return {
    number,
    generation,
    kind,
    mode,
    userId,
    groupId,
    sizeBytes: inode.sizeBytes,
    linkCount,
    accessed,
    modified,
    changed,
    born,
    device: kind === 'block-device' || kind === 'character-device' ? deviceOf(inode) : null,
  }
}

/** 14 bits of major number and 18 of minor number, at the start of the data fork. */
function deviceOf({ place, data }: Inode): FileNode['device'] {
  if (data.format !== 'device' || data.bytes.byteLength < DEVICE_BYTES) {
    throw new FormatError(place, `its data fork is ${data.format}, expected a device number`)
  }
  const value = new DataView(data.bytes.buffer, data.bytes.byteOffset).getUint32(0)
  return { major: value >>> MINOR_BITS, minor: value & (2 ** MINOR_BITS - 1) }
}
