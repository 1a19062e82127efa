import assert from 'node:assert/strict'
import { statSync } from 'node:fs'

import { describeTree } from './describe-tree.ts'
import { writeExt4Image } from './ext4-image.ts'
import { runTool } from './run-tool.ts'
import type { TemporaryFolder } from './temporary-folder.ts'
import { makeVariedFiles } from './varied-files.ts'
import { whileMounted, writeXfsImage, XFS_SIZE_BYTES_MIN } from './xfs-image.ts'

const MIB = 1024 * 1024

/** An image `image` with files of many kinds, and in `copied` what `cp -a` copies of them. Needs loop devices. */
export function writeVariedImage(folder: TemporaryFolder, format: 'ext4' | 'xfs'): string {
  const image = folder.join('image')
  if (format === 'ext4') writeExt4Image(image, { sizeBytes: 200 * MIB })
  else writeXfsImage(image, { sizeBytes: XFS_SIZE_BYTES_MIN })
  whileMounted(image, folder.join('mnt'), () => {
    makeVariedFiles(folder.join('mnt'))
    // To copy a file must not change when it was last read.
    runTool('mount', ['-o', 'remount,noatime', folder.join('mnt')])
    runTool('cp', ['-a', '--sparse=always', folder.join('mnt'), folder.join('copied')])
  })
  return image
}

/** Fails unless `taken` is `copied` in all that the system shows, and what was a hole is one. */
export function assertSameAsCopied(folder: TemporaryFolder): void {
  const taken = describeTree(folder.join('taken'))
  const copied = describeTree(folder.join('copied'))
  assert.equal(taken.files, copied.files)
  assert.equal(taken.attributes, copied.attributes)
  assert.equal(taken.sizes, copied.sizes)
  assert.equal(taken.contents, copied.contents)
  const sparse = statSync(folder.join('taken', 'var', 'sparse'))
  assert.ok(sparse.blocks * 512 < MIB, `${sparse.blocks} blocks`)
}
