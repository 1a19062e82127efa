import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'

/** What tells one process from every other that this host ever ran. */
export type ProcessIdentity = {
  readonly host: string
  readonly bootId: string
  readonly pid: number
  /** Clock ticks from boot to the start of the process (field 22 of /proc/PID/stat, proc(5)). */
  readonly pidStart: number
}

export function ownProcessIdentity(): ProcessIdentity {
  return { host: hostname(), bootId: readBootId(), pid: process.pid, pidStart: startOf(process.pid) ?? 0 }
}

/** True only when this host knows that the process has ended; of other hosts' processes it knows nothing. */
export function isKnownDead(identity: ProcessIdentity): boolean {
  if (identity.host !== hostname()) return false
  if (identity.bootId !== readBootId()) return true
  return startOf(identity.pid) !== identity.pidStart
}

/** A process in one word, for a tag or an attribute of what it holds: letters, digits and dots. */
export function processWord({ host, bootId, pid, pidStart }: ProcessIdentity): string {
  return `${machineWord(host)}.${bootId.replaceAll('-', '')}.${pid}.${pidStart}`
}

/** What this host knows of the process of a word: of those of other hosts, which may share our disks, nothing. */
export type Liveness = 'alive' | 'dead' | 'elsewhere'

export function livenessOf(word: string): Liveness {
  const [machine, bootId, pid, pidStart] = word.split('.')
  if (machine !== machineWord(hostname())) return 'elsewhere'
  if (bootId !== readBootId().replaceAll('-', '')) return 'dead'
  return startOf(Number(pid)) === Number(pidStart) ? 'alive' : 'dead'
}

/** Tells hosts apart, also copies of a machine that were given another name. */
function machineWord(host: string): string {
  const machineId = readText('/etc/machine-id')?.trim() ?? ''
  return createHash('sha256').update(`${machineId}\n${host}`).digest('hex').slice(0, 16)
}

function readBootId(): string {
  return readText('/proc/sys/kernel/random/boot_id')?.trim() ?? ''
}

function startOf(pid: number): number | null {
  const stat = readText(`/proc/${pid}/stat`)
  if (stat === null) return null
  // The second field is the name in parentheses, which may hold spaces; the third follows the last parenthesis.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[19])
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
