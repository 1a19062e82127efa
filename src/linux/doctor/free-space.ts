import { access, constants, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { errnoMeaning, errnoOf } from '../../domain/errno.ts'

export type Space = { readonly freeBytes: number; readonly sizeBytes: number }

/** What the file system of a path has left for this user, or of the first folder above it that is there. */
export async function spaceAt(path: string): Promise<Space | null> {
  for (let folder = path; ; folder = dirname(folder)) {
    try {
      const { bavail, blocks, bsize } = await statfs(folder)
      return { freeBytes: bavail * bsize, sizeBytes: blocks * bsize }
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' || folder === dirname(folder)) return null
    }
  }
}

/** Why nothing can be written in a folder, or the first above it that is there; null when it can. */
export async function writeFailureAt(path: string): Promise<string | null> {
  for (let folder = path; ; folder = dirname(folder)) {
    try {
      await access(folder, constants.R_OK | constants.W_OK | constants.X_OK)
      return null
    } catch (error) {
      if (errnoOf(error) === 'ENOENT' && folder !== dirname(folder)) continue
      return errnoMeaning(error) ?? String(error)
    }
  }
}
