import { closeSync, ftruncateSync, fsyncSync, openSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { BLOCK_SIZE_BYTES, zeroFileInImage } from './fs-blocks.ts'
import { FULL_SIZE_BYTES, PART_BYTES, type Part } from './part.ts'
import { runDebugfs } from './run-debugfs.ts'
import { runTool } from './run-tool.ts'
import { DELETED_FOLDER, PREALLOCATED_FILE, writeVolumeTree, ZERO_FILE } from './volume-tree.ts'

/** Constant, so that the same files make the same file system. */
const VOLUME_UUID = '4b1d0a52-63c5-4f1c-9d6e-6d9c1f0b7a11'

export type ImageWish = { readonly image: string; readonly sizeBytes: number; readonly seed: string }

/** Makes the ext4 image without root: files by `mke2fs -d`, then what needs a hand in it by debugfs. */
export function writeVolumeImage(wish: ImageWish): Part[] {
  const { image, sizeBytes, seed } = wish
  const folder = `${image}.tree`
  rmSync(folder, { recursive: true, force: true })
  const parts = writeVolumeTree({ folder, sizeBytes, seed })
  makeFileSystem(image, sizeBytes, folder)
  zeroFileInImage(image, ZERO_FILE)
  deleteFiles(image, join(folder, DELETED_FOLDER))
  rmSync(folder, { recursive: true })
  const preallocatedBytes = preallocate(image, sizeBytes)
  runTool('e2fsck', ['-fn', image]) // Throws with its output when the file system is not clean.
  syncFile(image)
  const origin = 'unwritten extents, by debugfs fallocate'
  return [...parts, { name: 'preallocated', sizeBytes: preallocatedBytes, origin }]
}

function makeFileSystem(image: string, sizeBytes: number, folder: string): void {
  rmSync(image, { force: true })
  const file = openSync(image, 'w')
  ftruncateSync(file, sizeBytes)
  closeSync(file)
  const options = `hash_seed=${VOLUME_UUID},lazy_itable_init=1,nodiscard`
  runTool(
    'mke2fs',
    ['-q', '-F', '-t', 'ext4', '-b', '4096', '-U', VOLUME_UUID, '-E', options, '-d', folder, image],
    {
      env: { E2FSPROGS_FAKE_TIME: '1700000000' },
    },
  )
}

// debugfs frees the blocks and leaves what is in them, as a file system without discard does.
function deleteFiles(image: string, folder: string): void {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  const inImage = (path: string): string => `"${join(DELETED_FOLDER, path.slice(folder.length))}"`
  const commands = entries
    .filter((entry) => entry.isFile())
    .map((entry) => `rm ${inImage(join(entry.parentPath, entry.name))}`)
  runDebugfs(image, commands)
}

function preallocate(image: string, sizeBytes: number): number {
  const blockCount = Math.floor((PART_BYTES.preallocated * sizeBytes) / FULL_SIZE_BYTES / BLOCK_SIZE_BYTES)
  runDebugfs(image, [
    `fallocate ${PREALLOCATED_FILE} 0 ${blockCount - 1}`,
    `set_inode_field ${PREALLOCATED_FILE} size ${blockCount * BLOCK_SIZE_BYTES}`,
  ])
  return blockCount * BLOCK_SIZE_BYTES
}

function syncFile(path: string): void {
  const file = openSync(path, 'r+')
  fsyncSync(file)
  closeSync(file)
}
