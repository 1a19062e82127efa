// Content in the inode: the kernel's "ext4 Data Structures and Algorithms", section "Inline Data".
import { findInodeAttribute } from './inode-attributes.ts'
import { AttributeSpace } from './attribute-names.ts'
import type { Ext4Inode } from './inode.ts'

/** Of the attribute `system.data`, whose namespace is a number of its own. */
const DATA_NAME = new TextEncoder().encode('data')

/** All that an inode holds inline: its block map, then the attribute `system.data`; perhaps more than the size says. */
export function readInlineData(inode: Ext4Inode): Uint8Array {
  const rest = findInodeAttribute(inode, { space: AttributeSpace.System, name: DATA_NAME })
  if (rest === null) return inode.blockMap.slice()
  const bytes = new Uint8Array(inode.blockMap.byteLength + rest.byteLength)
  bytes.set(inode.blockMap)
  bytes.set(rest, inode.blockMap.byteLength)
  return bytes
}
