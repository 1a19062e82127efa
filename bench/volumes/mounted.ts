import { mkdirSync, rmdirSync } from 'node:fs'
import { runTool } from '../data/run-tool.ts'

/** What the making of an XFS with files in it takes: only the kernel can write one. */
export const MOUNT_TOOLS = ['mkfs.xfs', 'xfs_io', 'mount', 'umount']

/** Whether loop devices can be mounted. */
export function canMount(): boolean {
  return process.getuid?.() === 0
}

/** Mounts an image while `work` runs. */
export function whileMounted(image: string, work: (folder: string) => void): void {
  const folder = `${image}.mounted`
  mkdirSync(folder, { recursive: true })
  runTool('mount', ['-o', 'loop', image, folder])
  try {
    work(folder)
  } finally {
    runTool('umount', [folder])
    rmdirSync(folder)
  }
}
