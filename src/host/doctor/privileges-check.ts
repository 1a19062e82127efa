import type { Privileges } from '../../linux/doctor/privileges.ts'
import { type Finding, listed, ok, unknown, warning, wrong } from './finding.ts'

/** linux/capability.h */
const NEEDED = [
  { bit: 2n, name: 'CAP_DAC_READ_SEARCH' },
  { bit: 21n, name: 'CAP_SYS_ADMIN' },
] as const
/** Passes by every mode of a file, what CAP_DAC_READ_SEARCH does for reading. */
const DAC_OVERRIDE = 1n

/** Whether this user may open disks and freeze file systems: `all` that is needed, or only what is its own. */
export function checkPrivileges({ userId, capabilities }: Privileges, needed: 'all' | 'own'): Finding {
  const name = 'privileges'
  if (capabilities === null) {
    const sentence = 'Which capabilities this process has cannot be read from /proc/self/status'
    return unknown(name, sentence, 'Mount /proc, and run it again')
  }
  const has = (bit: bigint): boolean => ((capabilities >> bit) & 1n) === 1n
  const missing = NEEDED.filter(({ bit }) => !has(bit) && !(bit === 2n && has(DAC_OVERRIDE)))
  const who = userId === 0 ? 'root' : `user ${userId ?? '?'}`
  if (missing.length === 0) return ok(name, `Runs as ${who}, with what freezing and reading disks takes`)
  const sentence = `Runs as ${who}, without ${listed(missing.map((one) => one.name))}: nothing can be frozen, and only disks and files of this user be read`
  if (needed === 'own')
    return warning(name, sentence, 'Run it as root, if there is more than that to back up')
  const advice = 'Run it as root, or give it these capabilities in its systemd unit'
  return wrong(name, { sentence, advice, stops: 'source' })
}
