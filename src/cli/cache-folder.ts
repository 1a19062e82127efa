import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where what can be made again is kept from one run to the next. */
export function cacheFolderOf(configured: string | undefined): string {
  return configured ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'icecore')
}
