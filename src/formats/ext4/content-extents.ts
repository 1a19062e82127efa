import assert from 'node:assert/strict'

import type { Extent, ExtentBatch } from '../../domain/extent.ts'
import { endOf, type Range } from '../../domain/range.ts'
import { BatchCollector } from '../../extents/batch-collector.ts'
import { joinExtents } from '../../extents/join-extents.ts'
import { FormatError, UnmappedError } from '../format-error.ts'
import type { BlockRun } from './block-run.ts'
import { fileBlockRuns } from './file-blocks.ts'
import { readInlineData } from './inline-data.ts'
import { InodeFlag } from './inode-layout.ts'
import { isFlagged, unreadableContent, type Ext4Inode } from './inode.ts'
import type { Ext4Volume } from './volume.ts'

/**
 * The map of `range` of a file's content, covering it wholly. What lies behind the end of the file, such as blocks
 * that were allocated ahead and the hashes of verity, is not content.
 */
export async function* contentExtents(
  volume: Ext4Volume,
  inode: Ext4Inode,
  range: Range,
): AsyncGenerator<ExtentBatch> {
  assert(range.offset >= 0 && endOf(range) <= inode.sizeBytes)
  if (range.length === 0) return
  const unreadable = unreadableContent(inode)
  if (unreadable !== null) {
    throw new UnmappedError(
      unreadable,
      `Cannot map content of ext4 inode ${inode.number}: found an ${unreadable}`,
    )
  }
  if (isFlagged(inode, InodeFlag.InlineData)) {
    yield inlineExtents(inode, range)
    return
  }
  const { blockSizeBytes } = volume.superblock
  const blocks = {
    start: Math.floor(range.offset / blockSizeBytes),
    end: Math.ceil(endOf(range) / blockSizeBytes),
  }
  const cover = new RangeCover(volume, inode, range)
  for await (const batch of fileBlockRuns(volume, inode, blocks)) {
    for (const run of batch) cover.add(run)
    if (cover.out.isFull) yield cover.out.take()
  }
  cover.finish()
  yield* cover.out.rest()
}

/** Turns ascending runs into the extents of a range: cut to it, and with holes where there is no run. */
class RangeCover {
  readonly out = new BatchCollector<Extent>(joinExtents)
  readonly #volume: Ext4Volume
  readonly #inode: Ext4Inode
  readonly #blockSizeBytes: number
  readonly #end: number
  #position: number

  constructor(volume: Ext4Volume, inode: Ext4Inode, range: Range) {
    this.#volume = volume
    this.#inode = inode
    this.#blockSizeBytes = volume.superblock.blockSizeBytes
    this.#position = range.offset
    this.#end = endOf(range)
  }

  add(run: BlockRun): void {
    const runOffset = run.fileBlock * this.#blockSizeBytes
    const offset = Math.max(runOffset, this.#position)
    const end = Math.min(runOffset + run.blockCount * this.#blockSizeBytes, this.#end)
    if (offset >= end) return
    this.#addZeros(offset)
    if (run.unwritten) {
      this.#addZeros(end)
      return
    }
    const physicalOffset = run.firstBlock * this.#blockSizeBytes + (offset - runOffset)
    const { sizeBytes } = this.#volume.image
    if (physicalOffset + (end - offset) > sizeBytes) {
      throw new FormatError(
        this.#inode.place,
        `content lies at byte ${physicalOffset}, the image ends at byte ${sizeBytes}`,
      )
    }
    this.out.add({ kind: 'data', offset, length: end - offset, device: 0, physicalOffset })
    this.#position = end
  }

  finish(): void {
    this.#addZeros(this.#end)
  }

  #addZeros(end: number): void {
    const offset = this.#position
    if (end <= offset) return
    this.out.add({ kind: 'zero', offset, length: end - offset })
    this.#position = end
  }
}

/** What the inode does not hold was never written: the file was made longer without being given blocks. */
function inlineExtents(inode: Ext4Inode, range: Range): ExtentBatch {
  const content = readInlineData(inode)
  const bytes = content.slice(range.offset, endOf(range))
  const { offset, length } = range
  const extents: Extent[] = []
  if (bytes.byteLength > 0) extents.push({ kind: 'inline', offset, length: bytes.byteLength, bytes })
  if (bytes.byteLength < length) {
    extents.push({ kind: 'zero', offset: offset + bytes.byteLength, length: length - bytes.byteLength })
  }
  return extents
}
