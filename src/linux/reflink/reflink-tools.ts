import { readFile } from 'node:fs/promises'
import type { Clock } from '../../domain/clock.ts'
import type { CloneSource } from '../../domain/file-clone.ts'
import type { Randomness } from '../../domain/randomness.ts'
import { cloneCalls } from '../clone-calls.ts'
import { parseMountInfo } from '../mounts.ts'
import { CloneFolder } from './clone-folder.ts'
import { CLONING_FILE_SYSTEMS, openCloneSource } from './clone-source.ts'

/** Clones of files on the file systems that are mounted here. */
export type LinuxReflinkTools = {
  readonly clock: Clock
  readonly randomness: Randomness
  openSource(path: string): Promise<CloneSource>
  folders(): Promise<readonly CloneFolder[]>
}

export function linuxReflinkTools(parts: {
  readonly clock: Clock
  readonly randomness: Randomness
}): LinuxReflinkTools {
  return { ...parts, openSource: openCloneSource, folders: cloneFolders }
}

/** Those that are there, each once, through however many mount points it can be seen. */
async function cloneFolders(): Promise<readonly CloneFolder[]> {
  if (cloneCalls() === null) return []
  const mounts = parseMountInfo(await readFile('/proc/self/mountinfo', 'utf8'))
  const found = new Map<string, CloneFolder>()
  for (const mount of mounts) {
    if (!CLONING_FILE_SYSTEMS.has(mount.fileSystem)) continue
    const folder = new CloneFolder(mount)
    const key = await folder.key()
    if (key !== null && !found.has(key)) found.set(key, folder)
  }
  return [...found.values()]
}
