import { truncateSync, writeFileSync } from 'node:fs'

import { runTool } from './run-tool.ts'

const MIB = 1024 * 1024

/** The partitions of such a disk: a word for it, its size, and where it begins. */
export const PARTITIONS = [
  ['one', 16 * MIB, MIB],
  ['two', 24 * MIB, 20 * MIB],
] as const

/** Writes the image of a disk with two empty partitions, `p1` and `p2`. */
export function writeDiskOfTwo(disk: string): void {
  writeFileSync(disk, '')
  truncateSync(disk, 64 * MIB)
  runTool('sfdisk', ['-q', disk], { input: 'label: gpt\nstart=2048, size=32768\nstart=40960, size=49152\n' })
}
