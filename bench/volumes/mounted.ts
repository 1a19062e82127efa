import { mkdirSync, rmdirSync } from 'node:fs'
import type { Bench } from '../bench.ts'
import { runTool } from '../data/run-tool.ts'
import { hasTool } from '../peers/find-tool.ts'

/** What the making of an XFS with files in it takes: only the kernel can write one. */
const XFS_TOOLS = ['mkfs.xfs', 'xfs_io', 'mount', 'umount']

/** Whether an XFS with files in it can be made here; says so where it cannot. */
export function canMakeXfs(bench: Bench): boolean {
  if (process.getuid?.() === 0 && XFS_TOOLS.every(hasTool)) return true
  bench.say(`  XFS left out: its image needs root and ${XFS_TOOLS.join(', ')}`)
  return false
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
