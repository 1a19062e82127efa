import { copyFileSync, mkdirSync, chmodSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { HostFile } from './host-files.ts'

/** Copies the files to `folder`, below their own paths: `/usr/bin/ls` becomes `folder/usr/bin/ls`. */
export function copyFilesInto(folder: string, files: readonly HostFile[]): void {
  for (const file of files) {
    const target = join(folder, file.path)
    mkdirSync(dirname(target), { recursive: true })
    copyFileSync(file.path, target)
    chmodSync(target, 0o644) // A copy that its owner may not read would stop mke2fs.
  }
}
