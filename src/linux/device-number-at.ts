import { realpath, stat } from 'node:fs/promises'
import { deviceNumberOf } from './device-number.ts'

/** `major:minor` of the block device at a path. Throws the system's error. */
export async function deviceNumberAt(path: string): Promise<string> {
  return deviceNumberOf((await stat(await realpath(path), { bigint: true })).rdev)
}
