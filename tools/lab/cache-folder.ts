import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where the unpacked kernel is kept from run to run. Root's lies where the lab's ordinary user can read it. */
export function labCacheFolder(): string {
  const given = process.env['XDG_CACHE_HOME']
  if (given !== undefined && given !== '') return join(given, 'icecore-lab')
  return process.getuid?.() === 0 ? '/var/cache/icecore-lab' : join(homedir(), '.cache', 'icecore-lab')
}
