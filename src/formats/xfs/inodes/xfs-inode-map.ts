import type { Range, RangeBatch } from '../../../domain/range.ts'
import type { InodeMap, InodeRun, InodeUse } from '../../inode-map.ts'
import { agOffsetBytes, fsBlockOffsetBytes } from '../addresses.ts'
import { firstBlockAfterHeaders } from '../ag-headers.ts'
import { readInode } from '../read-inode.ts'
import { uuidText } from '../uuid-text.ts'
import type { XfsVolume } from '../volume.ts'
import { freeBlockRanges } from './free-ranges.ts'
import { inodeRanges } from './inode-ranges.ts'
import { inodeRuns } from './inode-runs.ts'
import { isInodeInUse, isSameInodeState } from './inode-state.ts'
import { isAgTreeBlock } from './own-blocks.ts'
import { parentDirectory } from './parent-directory.ts'

/** Null before version 5, whose blocks do not name themselves. */
export function xfsInodeMap(volume: XfsVolume): InodeMap | null {
  return volume.superblock.features.version === 5 ? new XfsInodeMap(volume) : null
}

class XfsInodeMap implements InodeMap {
  readonly layout: string
  readonly inodeSizeBytes: number
  readonly #volume: XfsVolume

  constructor(volume: XfsVolume) {
    const { superblock } = volume
    this.#volume = volume
    this.inodeSizeBytes = superblock.inodeSizeBytes
    const { metaUuid, blockSizeBytes, blockCount, agBlocks, agBlockLog, inodeSizeBytes } = superblock
    const numbers = [blockSizeBytes, blockCount, agBlocks, agBlockLog, inodeSizeBytes, superblock.rootInode]
    this.layout = [uuidText(metaUuid), ...numbers].join(' ')
  }

  inodeRuns(within: Range, signal: AbortSignal): AsyncGenerator<readonly InodeRun[]> {
    return inodeRuns(this.#volume, within, signal)
  }

  useOf(number: number, inode: Uint8Array): InodeUse {
    if (!isInodeInUse(inode)) return 'none'
    return this.#volume.superblock.hiddenInodes.has(number) ? 'hidden' : 'file'
  }

  isSameInode(before: Uint8Array, after: Uint8Array): boolean {
    return isSameInodeState(before, after)
  }

  async *rangesOf(
    number: number,
    options: { readonly shared: boolean; readonly signal: AbortSignal },
  ): AsyncGenerator<RangeBatch> {
    yield* inodeRanges(this.#volume, await readInode(this.#volume, number), options)
  }

  async *structure(signal: AbortSignal): AsyncGenerator<RangeBatch> {
    const { superblock } = this.#volume
    const { agCount, blockSizeBytes, log, hiddenInodes } = superblock
    const length = firstBlockAfterHeaders(superblock) * blockSizeBytes
    yield Array.from({ length: agCount }, (_, agNumber) => ({
      offset: agOffsetBytes(superblock, agNumber),
      length,
    }))
    if (log.startFsBlock !== null) {
      const place = { structure: 'XFS superblock', offsetBytes: 0 }
      const offset = fsBlockOffsetBytes(superblock, log.startFsBlock, place)
      yield [{ offset, length: log.blockCount * blockSizeBytes }]
    }
    for (const number of hiddenInodes) yield* this.rangesOf(number, { shared: true, signal })
  }

  concernsNoFile(_before: Uint8Array, after: Uint8Array, offsetBytes: number): boolean {
    return isAgTreeBlock(this.#volume.superblock, after, offsetBytes)
  }

  freeRanges(within: Range, signal: AbortSignal): AsyncGenerator<RangeBatch> {
    return freeBlockRanges(this.#volume, within, signal)
  }

  parentOf(directoryNumber: number): Promise<number> {
    return parentDirectory(this.#volume, directoryNumber)
  }
}
