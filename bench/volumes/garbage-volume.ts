import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { writeRandomFile } from '../data/random-file.ts'
import { runDebugfs } from '../data/run-debugfs.ts'
import { runTool } from '../data/run-tool.ts'
import { seededStream } from '../data/seeded-stream.ts'

export const GARBAGE_VOLUME_BYTES = 2 * 1024 ** 3
const FILE_COUNT = 1800
const FILE_BYTES = 1024 ** 2

/** An ext4 full of random files, every second one of them deleted: its bytes stay where they were. */
export function garbageVolume(image: string): void {
  const tree = `${image}.tree`
  mkdirSync(tree)
  const stream = seededStream('garbage')
  for (let index = 0; index < FILE_COUNT; index += 1) {
    writeRandomFile(join(tree, `file-${index}`), FILE_BYTES, stream)
  }
  runTool('mke2fs', ['-q', '-F', '-t', 'ext4', '-d', tree, image])
  rmSync(tree, { recursive: true })
  const deleted = Array.from({ length: FILE_COUNT / 2 }, (_, index) => `rm file-${2 * index}`)
  runDebugfs(image, deleted)
  runTool('e2fsck', ['-fn', image])
}
