import { mkdirSync } from 'node:fs'
import { errnoOf } from '../domain/errno.ts'
import { targetOpenError } from './target-error.ts'
import { openTargetFolder, type LocalTargetFolder } from './target-folder.ts'

/** Opens a folder, or makes it in one that exists. Throws TARGET_MISSING, TARGET_UNSUITABLE. */
export function openNewTargetFolder(path: string): {
  readonly folder: LocalTargetFolder
  readonly isNew: boolean
} {
  try {
    const isNew = isMade(path)
    return { folder: openTargetFolder(path), isNew }
  } catch (error) {
    throw targetOpenError(path, error)
  }
}

function isMade(path: string): boolean {
  try {
    mkdirSync(path)
    return true
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error
    return false
  }
}
