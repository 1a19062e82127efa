import { posix } from 'node:path'

import { textOf } from './checkout.ts'

/** `from './x.ts'`, `import './x.ts'`, `import('./x.ts')` and the worker's `new URL('./x.ts', import.meta.url)`. */
const IMPORT = /(?:\bfrom\s*|\bimport\s*\(?\s*|\bnew URL\(\s*)'(\.{1,2}\/[^']+\.[jt]s)'/g

/** The files of the checkout that `path` names in its imports. */
function importedFiles(path: string): string[] {
  return [...textOf(path).matchAll(IMPORT)].map((match) => posix.join(posix.dirname(path), match[1] ?? ''))
}

/** All files that are loaded when `entries` are, the entries included. */
export function reachedFiles(entries: readonly string[]): ReadonlySet<string> {
  const reached = new Set<string>()
  const waiting = [...entries]
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (reached.has(path)) continue
    reached.add(path)
    waiting.push(...importedFiles(path))
  }
  return reached
}
