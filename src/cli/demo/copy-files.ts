import { constants } from 'node:fs'
import { copyFile, mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { mapConcurrent } from '../../domain/map-concurrent.ts'
import type { ProgressListener } from '../../domain/progress.ts'
import type { ChosenFile } from './choose-files.ts'

const COPIES_AT_ONCE = 8

/** Copies the files below `folder`. */
export async function copyFiles(
  files: readonly ChosenFile[],
  folder: string,
  run: { readonly progress: ProgressListener; readonly signal: AbortSignal },
): Promise<void> {
  const totalBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0)
  let doneBytes = 0
  for (const parent of new Set(files.map((file) => dirname(join(folder, file.to))))) {
    run.signal.throwIfAborted()
    await mkdir(parent, { recursive: true })
  }
  const copy = async (file: ChosenFile): Promise<number> => {
    run.signal.throwIfAborted()
    await copyFile(file.from, join(folder, file.to), constants.COPYFILE_FICLONE)
    return file.sizeBytes
  }
  for await (const sizeBytes of mapConcurrent(files, COPIES_AT_ONCE, copy)) {
    doneBytes += sizeBytes
    run.progress({ event: 'bytes', doneBytes, totalBytes })
  }
}
