import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

export type HostFile = { readonly path: string; readonly sizeBytes: number }

/**
 * The regular files below `folder` in the order of their paths, without symbolic links and empty files. What
 * cannot be read is left out: the bench runs without root.
 */
export function hostFilesBelow(folder: string): HostFile[] {
  const files: HostFile[] = []
  collect(folder, files)
  return files
}

function collect(folder: string, files: HostFile[]): void {
  for (const entry of entriesOf(folder)) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) collect(path, files)
    else if (entry.isFile()) {
      const sizeBytes = readableSizeBytes(path)
      if (sizeBytes > 0) files.push({ path, sizeBytes })
    }
  }
}

function entriesOf(folder: string): { name: string; isDirectory(): boolean; isFile(): boolean }[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true })
    return entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  } catch {
    return []
  }
}

function readableSizeBytes(path: string): number {
  try {
    const status = statSync(path)
    const isReadable = process.getuid?.() === 0 || (status.mode & 0o004) !== 0
    return isReadable ? status.size : 0
  } catch {
    return 0
  }
}
