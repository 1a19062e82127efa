import { unreachable } from '../../domain/unreachable.ts'
import { FormatError } from '../format-error.ts'
import { walkExtentTree } from './extent-btree.ts'
import {
  endOfForks,
  parseExtentList,
  type BlockSpan,
  type ForkExtent,
  type OnTreeBlock,
} from './extent-list.ts'
import type { Fork, Inode } from './inode.ts'
import { PACKED_EXTENT_BYTES } from './packed-extent.ts'
import type { XfsVolume } from './volume.ts'

/** A fork and the inode that has it. */
export type InodeFork = { readonly inode: Inode; readonly fork: Fork }

/**
 * The extents of a fork that overlap `wanted`, ascending, in batches: holes are what lies between them.
 * Throws FormatError for a fork that has no extents but content of its own.
 */
export async function* forkExtents(
  volume: XfsVolume,
  { inode, fork }: InodeFork,
  wanted: BlockSpan & OnTreeBlock,
): AsyncGenerator<readonly ForkExtent[]> {
  switch (fork.format) {
    case 'extents':
      yield listOf(volume, { inode, fork }, wanted)
      return
    case 'btree':
      yield* walkExtentTree(volume, { inode, fork }, wanted)
      return
    case 'device':
    case 'local':
      throw new FormatError(inode.place, `its ${fork.name} fork is ${fork.format}, expected extents`)
    default:
      unreachable(fork.format)
  }
}

function listOf(volume: XfsVolume, { inode, fork }: InodeFork, wanted: BlockSpan): ForkExtent[] {
  const countMax = Math.floor(fork.bytes.byteLength / PACKED_EXTENT_BYTES)
  const count = fork.extentCount
  const place = { structure: `${inode.place.structure}, ${fork.name} fork`, offsetBytes: fork.offsetBytes }
  if (count > countMax) throw new FormatError(place, `it has ${count} extents, expected at most ${countMax}`)
  const bounds = { startBlock: 0, endBlock: endOfForks(volume.superblock) }
  return parseExtentList(volume.superblock, { bytes: fork.bytes, place, count, bounds }, wanted)
}
