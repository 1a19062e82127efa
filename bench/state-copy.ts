import { copyFileSync, linkSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join, sep } from 'node:path'

/** Folders whose files a program writes once and never changes; removing one hurts no other link to it. */
const IMMUTABLE_FOLDERS = new Set(['packs', 'data'])

/**
 * Makes `target` the same as `source`. Packs and segments, which are written once, are hard links; all else is copied.
 * An archive as a single file is copied too.
 */
export function copyState(source: string, target: string): void {
  rmSync(target, { recursive: true, force: true })
  copyFolder(source, target, '')
}

function copyFolder(source: string, target: string, path: string): void {
  mkdirSync(join(target, path), { recursive: true })
  for (const entry of readdirSync(join(source, path), { withFileTypes: true })) {
    const entryPath = join(path, entry.name)
    if (entry.isDirectory()) copyFolder(source, target, entryPath)
    else if (isImmutable(entryPath)) linkSync(join(source, entryPath), join(target, entryPath))
    else if (entry.isFile()) copyFileSync(join(source, entryPath), join(target, entryPath))
  }
}

function isImmutable(path: string): boolean {
  return path.startsWith(`repo${sep}`) && path.split(sep).some((name) => IMMUTABLE_FOLDERS.has(name))
}

/** What must not change in a kept state while links of it are in use: path, size and time of each file. */
export function fingerprintOf(state: string): string {
  const lines: string[] = []
  for (const name of readdirSync(state, { recursive: true, encoding: 'utf8' }).toSorted()) {
    const status = statSync(join(state, name))
    if (status.isFile()) lines.push(`${name} ${status.size} ${status.mtimeMs}`)
  }
  return lines.join('\n')
}
