import { readdir, readFile, realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** The trimmed text of a file of /sys or /proc; null when it is not there or cannot be read. */
export async function readSysfs(path: string): Promise<string | null> {
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch {
    return null // An attribute that this kernel or this device does not have is no error.
  }
}

/** The entries of a folder of /sys; none when it is not there. */
export async function listSysfs(path: string): Promise<readonly string[]> {
  try {
    return (await readdir(path)).toSorted()
  } catch {
    return []
  }
}

/** The folder that describes a block device (`major:minor`); null when the system shows none. */
export async function blockFolderOf(deviceNumber: string): Promise<string | null> {
  try {
    return await realpath(`/sys/dev/block/${deviceNumber}`)
  } catch {
    return null
  }
}

/** The folder of the whole disk: itself, or for a partition its parent, with the partition's number. */
export async function diskFolderOf(
  folder: string,
): Promise<{ readonly disk: string; readonly partition: string | null }> {
  const partition = await readSysfs(join(folder, 'partition'))
  return partition === null ? { disk: folder, partition: null } : { disk: dirname(folder), partition }
}
