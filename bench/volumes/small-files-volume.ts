import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runTool } from '../data/run-tool.ts'
import { seededStream } from '../data/seeded-stream.ts'

export const SMALL_FILES_VOLUME_BYTES = 1024 ** 3
export const SMALL_FILE_COUNT = 50_000
export const SMALL_FILE_BYTES = 1024
export const EMPTY_FOLDER = '/empty'
export const SMALL_FOLDER = '/small'
export const NOTHING_FOLDER = '/nothing'
const FILES_PER_FOLDER = 100

/** Empty files and files of random bytes, a hundred in a folder; their names and times are unlike one another. */
export function smallFilesVolume(image: string): void {
  const tree = `${image}.tree`
  rmSync(tree, { recursive: true, force: true })
  mkdirSync(join(tree, NOTHING_FOLDER), { recursive: true })
  const stream = seededStream('small files')
  const content = Buffer.alloc(SMALL_FILE_BYTES)
  for (let index = 0; index < SMALL_FILE_COUNT; index += 1) {
    const folder = `${Math.floor(index / FILES_PER_FOLDER)}`
    if (index % FILES_PER_FOLDER === 0) {
      for (const above of [EMPTY_FOLDER, SMALL_FOLDER])
        mkdirSync(join(tree, above, folder), { recursive: true })
    }
    const name = `module-${stream.below(2 ** 32).toString(36)}-${index}.js`
    writeFileSync(join(tree, EMPTY_FOLDER, folder, name), '')
    stream.fill(content)
    writeFileSync(join(tree, SMALL_FOLDER, folder, name), content)
  }
  runTool('mke2fs', ['-q', '-F', '-t', 'ext4', '-i', '4096', '-d', tree, image])
  rmSync(tree, { recursive: true })
  runTool('e2fsck', ['-fn', image])
}
