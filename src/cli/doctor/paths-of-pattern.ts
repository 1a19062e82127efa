import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { matches } from '../../agent/allowed-source.ts'

/** A pattern that means more is told by the first of them. */
export const PATHS_MAX = 1000

/** The paths of this host that a pattern of `agent.yaml` means, in their order; none where there is nothing. */
export async function pathsOfPattern(pattern: string): Promise<readonly string[]> {
  let paths: readonly string[] = ['/']
  for (const part of pattern.split('/').filter((word) => word !== '')) {
    const next: string[] = []
    for (const path of paths) {
      if (next.length >= PATHS_MAX) break
      next.push(...(await below(path, part)))
    }
    paths = next.slice(0, PATHS_MAX)
  }
  return paths
}

async function below(folder: string, part: string): Promise<readonly string[]> {
  const path = join(folder, part)
  if (!part.includes('*')) return (await isThere(path)) ? [path] : []
  try {
    const names = (await readdir(folder)).filter((name) => matches(part, name))
    return names.toSorted().map((name) => join(folder, name))
  } catch {
    return [] // No folder, or one that may not be looked into: nothing in it can be frozen either.
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch {
    return false
  }
}
