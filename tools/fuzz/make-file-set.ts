import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { openExt4 } from '../../src/formats/ext4/open-ext4.ts'
import { builtFileSet } from '../../test/support/built-file-set.ts'
import { readSparse, sparseImage } from '../../test/support/sparse-bytes.ts'
import { runTool } from '../../test/support/run-tool.ts'
import type { BaseDraft } from './base.ts'
import { fillTree } from './fill-tree.ts'
import { baseOf, makeFile } from './make-file-systems.ts'

const VOLUME_BYTES = 8 * 1024 * 1024
const CHUNK_BYTES = 16 * 1024

/** The image of all files of a small file system. */
export async function makeFileSetImages(folder: string): Promise<BaseDraft[]> {
  const tree = join(folder, 'file-set-tree')
  mkdirSync(tree)
  fillTree(tree)
  const volumePath = join(folder, 'file-set-volume')
  makeFile(volumePath, VOLUME_BYTES)
  runTool('mke2fs', ['-q', '-F', '-t', 'ext4', '-b', '1024', '-O', '^has_journal', '-d', tree, volumePath])
  const volume = sparseImage(await readSparse(volumePath, VOLUME_BYTES))
  const { image } = await builtFileSet(await openExt4(volume), volume, { chunkSizeBytes: CHUNK_BYTES })
  const bytes = new Uint8Array(image.sizeBytes)
  await image.readInto(bytes, 0)
  const path = join(folder, 'file-set')
  writeFileSync(path, bytes)
  return [baseOf('file set', path, 'file-set')]
}
