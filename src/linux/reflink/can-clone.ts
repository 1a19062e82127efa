import { access, constants, stat } from 'node:fs/promises'
import { isBackupError } from '../../domain/backup-error.ts'
import { openCloneSource } from './clone-source.ts'

/** Whether this user can make clones of the file at a path here and now: one is made, and forgotten at once. */
export async function canClone(path: string): Promise<boolean> {
  try {
    if (!(await stat(path)).isFile()) return false
    await access(path, constants.W_OK)
    await using source = await openCloneSource(path)
    await using _clone = await source.clone()
    return true
  } catch (error) {
    // Whoever opens the path for reading says what is wrong with it.
    if (isBackupError(error) || (error instanceof Error && 'syscall' in error)) return false
    throw error
  }
}
