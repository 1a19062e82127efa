import { access, constants, stat } from 'node:fs/promises'
import { isBackupError } from '../../domain/backup-error.ts'
import { openCloneSource } from './clone-source.ts'

/**
 * Whether clones can be made of the file at a path: of files like it on such a file system, by this user. None is made:
 * of a file in very many pieces that takes long, and its writers wait. What else may be in the way, `clone()` says.
 */
export async function canClone(path: string): Promise<boolean> {
  try {
    if (!(await stat(path)).isFile()) return false
    await access(path, constants.W_OK)
    await using _source = await openCloneSource(path)
    return true
  } catch (error) {
    // Whoever opens the path for reading says what is wrong with it.
    if (isBackupError(error) || (error instanceof Error && 'syscall' in error)) return false
    throw error
  }
}
