import { spawnSync } from 'node:child_process'
import { chownSync } from 'node:fs'

/** Nobody's number on any system: what a guest's root can do to this host is what this user may do. */
const LAB_USER_ID = 65_530

const AS_LAB_USER = [`--reuid=${LAB_USER_ID}`, `--regid=${LAB_USER_ID}`, '--clear-groups', '--no-new-privs']
/** May read what root may, a checkout in root's home too, and write nothing that is not its own. */
const READING_ALL = [
  '--securebits=+no_setuid_fixup',
  '--bounding-set=-all,+dac_read_search',
  '--inh-caps=-all,+dac_read_search',
  '--ambient-caps=+dac_read_search',
]

let prefix: readonly string[] | undefined

/** What to put before a command so that it runs as an ordinary user; nothing where this process is one. */
export function asLabUser(): readonly string[] {
  prefix ??= process.getuid?.() === 0 ? rootsPrefix() : []
  return prefix
}

function rootsPrefix(): readonly string[] {
  const reading = ['setpriv', ...AS_LAB_USER, ...READING_ALL]
  // A container's root may lack the capability: then what is to be read must be readable for all.
  const { status } = spawnSync('setpriv', [...reading.slice(1), 'true'])
  return status === 0 ? reading : ['setpriv', ...AS_LAB_USER]
}

/** Makes a file or folder the lab user's own. */
export function giveToLabUser(path: string): void {
  if (process.getuid?.() === 0) chownSync(path, LAB_USER_ID, LAB_USER_ID)
}
