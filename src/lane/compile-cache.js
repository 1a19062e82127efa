import module from 'node:module'
import { join } from 'node:path'

/**
 * Keeps compiled code, for this thread: types are stripped once and not at every start. It lies in the user's own
 * folder: others can write to the system's /tmp, and what they write would be run. Plain JavaScript, because it
 * must be there before the first TypeScript file; an older Node can read it, and has no such function.
 */
export function keepCompiledCode() {
  const { HOME = '', XDG_CACHE_HOME = '', NODE_COMPILE_CACHE } = process.env
  const cacheHome = XDG_CACHE_HOME.startsWith('/') ? XDG_CACHE_HOME : HOME && join(HOME, '.cache')
  const folder = NODE_COMPILE_CACHE ?? (cacheHome && join(cacheHome, 'icecore', 'compiled'))
  if (folder) module.enableCompileCache(folder)
}
