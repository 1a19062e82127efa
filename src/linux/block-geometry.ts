import { readSync } from 'node:fs'
import { join } from 'node:path'
import { allocateAligned } from './aligned-memory.ts'
import { errnoOf } from '../domain/errno.ts'
import { blockFolderOf, diskFolderOf, readSysfs } from './sysfs.ts'
import { syscalls } from './syscalls.ts'

const SYSFS_SECTOR_BYTES = 512
const SECTOR_BYTES_DEFAULT = 4096
const SIZE_BYTES_MAX = 2 ** 53

export type BlockGeometry = { readonly sizeBytes: number; readonly sectorSizeBytes: number }

/** Size and logical sector size of an open block device: by ioctl, else from /sys, else by trying reads. */
export async function blockGeometry(fd: number, deviceNumber: string): Promise<BlockGeometry> {
  const kernel = syscalls()
  if (kernel !== null) {
    return { sizeBytes: kernel.deviceSizeBytes(fd), sectorSizeBytes: kernel.logicalSectorSizeBytes(fd) }
  }
  const folder = await blockFolderOf(deviceNumber)
  if (folder === null) return { sizeBytes: probeSize(fd), sectorSizeBytes: SECTOR_BYTES_DEFAULT }
  const sectors = await readSysfs(join(folder, 'size')) // In units of 512 bytes, whatever the sector size.
  const { disk } = await diskFolderOf(folder)
  const sectorSize = await readSysfs(join(disk, 'queue/logical_block_size'))
  return {
    sizeBytes: sectors === null ? probeSize(fd) : Number(sectors) * SYSFS_SECTOR_BYTES,
    sectorSizeBytes: sectorSize === null ? SECTOR_BYTES_DEFAULT : Number(sectorSize),
  }
}

/** Bisects for the last block of 4096 bytes that can be read: Node cannot seek. Exact only to those blocks. */
export function probeSize(fd: number): number {
  const block = allocateAligned(SECTOR_BYTES_DEFAULT)
  let low = 0
  let high = SIZE_BYTES_MAX / SECTOR_BYTES_DEFAULT
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (hasByteAt(fd, middle * SECTOR_BYTES_DEFAULT, block)) low = middle + 1
    else high = middle
  }
  return low * SECTOR_BYTES_DEFAULT
}

function hasByteAt(fd: number, offset: number, block: Uint8Array): boolean {
  try {
    return readSync(fd, block, 0, block.byteLength, offset) > 0
  } catch (error) {
    if (errnoOf(error) === 'EINVAL' || errnoOf(error) === 'ENXIO') return false
    throw error
  }
}
