import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { runDebugfs } from '../data/run-debugfs.ts'
import { runTool } from '../data/run-tool.ts'
import { whileMounted } from './mounted.ts'

export const FRAGMENT_COUNT = 1_200_000
export const FRAGMENTED_FILE = '/fragments'
const BLOCK_SIZE_BYTES = 1024
/** debugfs writes a few blocks of the extent tree between those of the file. */
const TREE_BLOCKS = 100_000

/**
 * A file whose blocks have a free one between each and the next: every other block is marked while debugfs writes
 * the file, and freed after it.
 */
export function fragmentedExt4(image: string): void {
  runTool('mke2fs', ['-q', '-F', '-t', 'ext4', '-b', String(BLOCK_SIZE_BYTES), '-N', '64', image])
  const marked = everyOther(freeRuns(image)).slice(0, FRAGMENT_COUNT + TREE_BLOCKS)
  const content = `${image}.content`
  writeContent(content)
  runDebugfs(image, [
    ...marked.map((block) => `setb ${block}`),
    `write ${content} ${FRAGMENTED_FILE.slice(1)}`,
    ...marked.map((block) => `freeb ${block}`),
  ])
  rmSync(content)
  runTool('e2fsck', ['-fn', image])
}

/** A file of allocated space, of which every other block was written. */
export function fragmentedXfs(image: string): void {
  runTool('mkfs.xfs', ['-q', '-f', '-b', `size=${BLOCK_SIZE_BYTES}`, image])
  whileMounted(image, (folder) => {
    const path = join(folder, FRAGMENTED_FILE)
    const sizeBytes = 2 * FRAGMENT_COUNT * BLOCK_SIZE_BYTES
    runTool('xfs_io', ['-f', '-c', `falloc 0 ${sizeBytes}`, path])
    const file = openSync(path, 'r+')
    const block = Buffer.alloc(BLOCK_SIZE_BYTES, 0x5a)
    for (let index = 0; index < FRAGMENT_COUNT; index += 1) {
      writeSync(file, block, 0, block.length, 2 * index * BLOCK_SIZE_BYTES)
    }
    fsyncSync(file)
    closeSync(file)
  })
}

type BlockRun = { readonly first: number; readonly last: number }

/** The lines `  Free blocks: 10-20, 22` of dumpe2fs. */
function freeRuns(image: string): BlockRun[] {
  return [...runTool('dumpe2fs', [image]).matchAll(/^ {2}Free blocks: (.+)$/gm)].flatMap(([, list = '']) =>
    list.split(', ').map((run) => {
      const [first = '', last = first] = run.split('-')
      return { first: Number(first), last: Number(last) }
    }),
  )
}

function everyOther(runs: readonly BlockRun[]): number[] {
  const blocks: number[] = []
  for (const { first, last } of runs) {
    for (let block = first + 1; block <= last; block += 2) blocks.push(block)
  }
  return blocks
}

function writeContent(path: string): void {
  const file = openSync(path, 'w')
  const piece = Buffer.alloc(1000 * BLOCK_SIZE_BYTES, 0x5a)
  for (let written = 0; written < FRAGMENT_COUNT; written += 1000) writeSync(file, piece)
  closeSync(file)
}
