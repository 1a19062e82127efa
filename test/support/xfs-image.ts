import { mkdirSync, truncateSync, writeFileSync } from 'node:fs'

import { loopDevice } from './loop-device.ts'
import { runTool } from './run-tool.ts'

/** The least that `mkfs.xfs` of xfsprogs 6 makes a file system of. */
export const XFS_SIZE_BYTES_MIN = 300 * 1024 * 1024

export type XfsImageOptions = {
  readonly sizeBytes: number
  /** Logical sector size; default 512. */
  readonly sectorSizeBytes?: number
}

/** Makes an image file with an empty XFS, without root. Each has a UUID of its own: Linux mounts no two of the same. */
export function writeXfsImage(path: string, options: XfsImageOptions): void {
  writeFileSync(path, '')
  truncateSync(path, options.sizeBytes)
  const sector = `size=${options.sectorSizeBytes ?? 512}`
  runTool('mkfs.xfs', ['-q', '-f', '-s', sector, path])
}

/**
 * Mounts the file system of an image on a new folder while `change` runs, through a loop device; it is unmounted
 * cleanly before this returns. Needs `needsLoopDevices()`.
 */
export function whileMounted(image: string, folder: string, change: () => void): void {
  using device = loopDevice(image)
  mkdirSync(folder, { recursive: true })
  runTool('mount', [device.path, folder])
  try {
    change()
  } finally {
    runTool('umount', [folder])
  }
}

/** Throws unless `xfs_repair` finds the file system of an image or device clean. */
export function assertXfsClean(path: string, type: 'file' | 'device' = 'file'): void {
  runTool('xfs_repair', type === 'file' ? ['-n', '-f', path] : ['-n', path])
}
