import { runTool } from './run-tool.ts'

export type XfsGeometry = {
  readonly blockSizeBytes: number
  readonly agBlocks: number
  readonly blockCount: number
}

/** What `xfs_db` says of an image. */
export function readXfsGeometry(path: string): XfsGeometry {
  const text = xfsDb(path, ['sb 0', 'print blocksize agblocks dblocks'])
  const field = (name: string): number => Number(new RegExp(`^${name} = (\\d+)$`, 'mu').exec(text)?.[1])
  return { blockSizeBytes: field('blocksize'), agBlocks: field('agblocks'), blockCount: field('dblocks') }
}

/** One byte for each block of an image, 1 where it is in use, as `xfs_db` reads it. */
export function usedXfsBlocks(path: string): Uint8Array {
  const { agBlocks, blockCount } = readXfsGeometry(path)
  const used = new Uint8Array(blockCount).fill(1)
  for (const line of xfsDb(path, ['freesp -d']).split('\n')) {
    const extent = /^ *(\d+) +(\d+) +(\d+) *$/u.exec(line)?.slice(1).map(Number)
    if (extent === undefined) continue
    const [agNumber = 0, start = 0, length = 0] = extent
    used.fill(0, agNumber * agBlocks + start, agNumber * agBlocks + start + length)
  }
  for (let agNumber = 0; agNumber * agBlocks < blockCount; agNumber += 1) {
    for (const block of freeListBlocks(path, agNumber)) used[agNumber * agBlocks + block] = 1
  }
  return used
}

/** The tool counts them as free, but they belong to the trees. */
function freeListBlocks(path: string, agNumber: number): readonly number[] {
  const text = xfsDb(path, [`agf ${agNumber}`, 'print flfirst flcount', `agfl ${agNumber}`, 'print bno'])
  const first = Number(/^flfirst = (\d+)$/mu.exec(text)?.[1])
  const count = Number(/^flcount = (\d+)$/mu.exec(text)?.[1])
  const slots = [...text.matchAll(/(\d+):(\d+|null)/gu)].map((match) => Number(match[2]))
  return Array.from({ length: count }, (_, index) => slots[(first + index) % slots.length] ?? -1)
}

function xfsDb(path: string, commands: readonly string[]): string {
  return runTool('xfs_db', ['-f', '-r', ...commands.flatMap((command) => ['-c', command]), path])
}
