import { join } from 'node:path'
import { runDebugfs } from '../data/run-debugfs.ts'
import { runTool } from '../data/run-tool.ts'
import { whileMounted } from './mounted.ts'

export const FULL_VOLUME_BYTES = 2 ** 40
const BLOCK_SIZE_BYTES = 4096
/** One file fills the volume but for what its metadata may take. */
const FILE_BLOCKS = Math.floor((0.967 * FULL_VOLUME_BYTES) / BLOCK_SIZE_BYTES)
/** Pieces of the file are given back, so that what is free is scattered: by turns 4 KiB, 256 KiB and 4 MiB. */
const HOLE_COUNT = 100_000
const HOLE_BLOCKS = [1, 64, 1024] as const
const HOLE_DISTANCE = Math.floor(FILE_BLOCKS / HOLE_COUNT)

/** A volume that a file fills, with scattered free space; nothing but metadata is written to the image. */
export function fullExt4(image: string): void {
  const options = ['-E', 'lazy_itable_init=1,nodiscard', '-J', 'size=64']
  runTool('mke2fs', ['-q', '-F', '-t', 'ext4', '-b', String(BLOCK_SIZE_BYTES), ...options, image])
  runDebugfs(image, [
    'write /dev/null big',
    `set_inode_field big size ${FILE_BLOCKS * BLOCK_SIZE_BYTES}`,
    `fallocate big 0 ${FILE_BLOCKS - 1}`,
    ...holes().map(({ first, count }) => `punch big ${first} ${first + count - 1}`),
  ])
  runTool('e2fsck', ['-fn', image])
}

/** The same by the kernel: only it can write to an XFS. */
export function fullXfs(image: string): void {
  runTool('mkfs.xfs', ['-q', '-f', '-b', `size=${BLOCK_SIZE_BYTES}`, '-l', 'size=64m', image])
  whileMounted(image, (folder) => {
    const requests = [
      `falloc 0 ${FILE_BLOCKS * BLOCK_SIZE_BYTES}`,
      ...holes().map(({ first, count }) => `fpunch ${first * BLOCK_SIZE_BYTES} ${count * BLOCK_SIZE_BYTES}`),
    ]
    runTool('xfs_io', ['-f', join(folder, 'big')], { input: `${requests.join('\n')}\n` })
  })
}

function holes(): { readonly first: number; readonly count: number }[] {
  return Array.from({ length: HOLE_COUNT }, (_, index) => ({
    first: index * HOLE_DISTANCE,
    count: HOLE_BLOCKS[index % HOLE_BLOCKS.length] ?? 1,
  }))
}
