import { runTool } from './run-tool.ts'

export type BlockRange = readonly [first: number, end: number]

/**
 * The free blocks of an ext2, ext3 or ext4, as `dumpe2fs` prints them. Of the last cluster of a range it prints the
 * first block alone.
 */
export function dumpFreeBlocks(path: string, blocksPerCluster: number, blockCount: number): BlockRange[] {
  const ranges: [number, number][] = []
  for (const [, list = ''] of runTool('dumpe2fs', [path]).matchAll(/^ {2}Free blocks: (.*)$/gm)) {
    for (const item of list.split(',').filter((text) => text.trim() !== '')) {
      const [first = 0, last = first] = item.split('-').map(Number)
      const end = Math.min(blockCount, last + blocksPerCluster)
      const before = ranges.at(-1)
      if (before !== undefined && before[1] === first) before[1] = end
      else ranges.push([first, end])
    }
  }
  return ranges
}
