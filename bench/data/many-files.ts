import { closeSync, mkdirSync, openSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runDebugfs } from './run-debugfs.ts'
import { runTool } from './run-tool.ts'

export const FOLDER_COUNT = 1000
export const FILES_PER_FOLDER = 100
const IMAGE_BYTES = 1024 ** 3
/** Bytes a possible inode: enough for all files. */
const BYTES_PER_INODE = '4096'

/** An ext4 with folders of small files, in an order of names that is not that of their inodes. */
export function writeManyFiles(scratchFolder: string): string {
  const tree = join(scratchFolder, 'many-files')
  for (let folder = 0; folder < FOLDER_COUNT; folder += 1) {
    const path = join(tree, `folder-${folder}`)
    mkdirSync(path, { recursive: true })
    for (let file = 0; file < FILES_PER_FOLDER; file += 1) {
      writeFileSync(join(path, `file-${(file * 37) % FILES_PER_FOLDER}-of-${folder}`), String(file))
    }
  }
  const image = join(scratchFolder, 'many-files.img')
  closeSync(openSync(image, 'w'))
  truncateSync(image, IMAGE_BYTES)
  runTool('mke2fs', ['-q', '-F', '-t', 'ext4', '-i', BYTES_PER_INODE, '-d', tree, image])
  rmSync(tree, { recursive: true })
  return image
}

/** Gives one file another content, and says which. */
export function changeOneFile(image: string, scratchFolder: string): string {
  const [folder, name] = [`folder-${FOLDER_COUNT / 2}`, `file-1-of-${FOLDER_COUNT / 2}`]
  const content = join(scratchFolder, 'changed')
  writeFileSync(content, 'changed')
  runDebugfs(image, [`cd ${folder}`, `rm ${name}`, `write ${content} ${name}`])
  rmSync(content)
  return `/${folder}/${name}`
}
