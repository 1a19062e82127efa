import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'

/** Where the tools of file systems lie, which is not on the path of an ordinary user. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/bin', '/bin']

/** The file of a program, on `path` or where the system keeps its tools; null when there is none. */
export function findProgram(name: string, path: string | undefined): string | null {
  const folders = [...(path ?? '').split(':').filter((folder) => folder.startsWith('/')), ...SYSTEM_FOLDERS]
  return folders.map((folder) => join(folder, name)).find(isExecutable) ?? null
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
