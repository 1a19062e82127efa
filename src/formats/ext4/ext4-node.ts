import type { FileKind, FileNode, FileTime } from '../file-system.ts'
import type { Ext4Inode } from './inode.ts'
import type { Ext4Volume } from './volume.ts'

/**
 * What others see of an inode. It holds on to the rest of it: one object, where a WeakMap that is asked for it would cost
 * a walk of a million files more than to read them.
 */
export class Ext4Node implements FileNode {
  readonly number: number
  readonly generation: number
  readonly kind: FileKind
  readonly mode: number
  readonly userId: number
  readonly groupId: number
  readonly sizeBytes: number
  readonly linkCount: number
  readonly accessed: FileTime
  readonly modified: FileTime
  readonly changed: FileTime
  readonly born: FileTime | null
  readonly device: FileNode['device']
  readonly #inode: Ext4Inode
  readonly #volume: Ext4Volume

  constructor(inode: Ext4Inode, volume: Ext4Volume) {
    this.number = inode.number
    this.generation = inode.generation
    this.kind = inode.kind
    this.mode = inode.mode
    this.userId = inode.userId
    this.groupId = inode.groupId
    this.sizeBytes = inode.sizeBytes
    this.linkCount = inode.linkCount
    this.accessed = inode.accessed
    this.modified = inode.modified
    this.changed = inode.changed
    this.born = inode.born
    this.device = inode.device
    this.#inode = inode
    this.#volume = volume
  }

  /** Null for what is no such node, or that of another volume. */
  static inodeOf(node: FileNode, volume: Ext4Volume): Ext4Inode | null {
    return #inode in node && node.#volume === volume ? node.#inode : null
  }
}
