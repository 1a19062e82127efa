// The target of a symbolic link: within the inode, or in up to three runs of blocks, each of which has a header in
// version 5 and is one block as far as its checksum goes. Known from "XFS Algorithms & Data Structures", "Symbolic
// Links".
import { readBytes } from '../../images/read-bytes.ts'
import { FormatError } from '../format-error.ts'
import { forkExtents } from './fork-extents.ts'
import type { Inode } from './inode.ts'
import { REMOTE_HEADER_BYTES, requireRemoteHeader } from './remote-header.ts'

import type { XfsVolume } from './volume.ts'

const TARGET_BYTES_MAX = 1024
/** "XSLM" */
const MAGIC = 0x58534c4d

export async function readSymlink(volume: XfsVolume, inode: Inode): Promise<Uint8Array> {
  const { place, sizeBytes, data } = inode
  if (inode.kind !== 'symlink') throw new FormatError(place, `it is a ${inode.kind}, expected a symlink`)
  if (sizeBytes === 0 || sizeBytes > TARGET_BYTES_MAX) {
    throw new FormatError(place, `its target has ${sizeBytes} bytes, expected 1 to ${TARGET_BYTES_MAX}`)
  }
  if (data.format !== 'local') return await readRemoteTarget(volume, inode)
  if (sizeBytes > data.bytes.byteLength) {
    throw new FormatError(place, `its target has ${sizeBytes} bytes, and its fork ${data.bytes.byteLength}`)
  }
  return data.bytes.slice(0, sizeBytes)
}

async function readRemoteTarget(volume: XfsVolume, inode: Inode): Promise<Uint8Array> {
  const { features, blockSizeBytes, metaUuid } = volume.superblock
  const { sizeBytes } = inode
  const headerBytes = features.version === 5 ? REMOTE_HEADER_BYTES : 0
  const endBlock = Math.ceil(sizeBytes / (blockSizeBytes - headerBytes))
  const target = new Uint8Array(sizeBytes)
  let nextBlock = 0
  let done = 0
  for await (const batch of forkExtents(volume, { inode, fork: inode.data }, { startBlock: 0, endBlock })) {
    for (const extent of batch) {
      if (extent.startBlock !== nextBlock || extent.isUnwritten) break
      const blockCount = Math.min(extent.blockCount, endBlock - nextBlock)
      nextBlock += blockCount
      const place = { structure: `${inode.place.structure}, target`, offsetBytes: extent.offsetBytes }
      const bytes = await readBytes(volume.image, place.offsetBytes, blockCount * blockSizeBytes)
      const length = Math.min(bytes.byteLength - headerBytes, sizeBytes - done)
      if (headerBytes > 0) {
        const expected = { magic: MAGIC, offset: done, length, uuid: metaUuid, ownerInode: inode.number }
        requireRemoteHeader(bytes, place, expected)
      }
      target.set(bytes.subarray(headerBytes, headerBytes + length), done)
      done += length
    }
  }
  if (done < sizeBytes)
    throw new FormatError(inode.place, `its target ends after ${done} of ${sizeBytes} bytes`)
  return target
}
