import { stat } from 'node:fs/promises'
import { errnoOf } from '../domain/errno.ts'

/** Whether there is a block device at a path; false where there is nothing, or nothing that may be looked at. */
export async function isBlockDevice(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isBlockDevice()
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    return false
  }
}
