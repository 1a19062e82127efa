import { homedir } from 'node:os'
import { join } from 'node:path'

type Environment = Readonly<Record<string, string | undefined>>

/** Where it writes its logs: where systemd says, or the system's place, or the user's. */
export function agentStateFolder(environment: Environment): string {
  const [named] = (environment['STATE_DIRECTORY'] ?? '').split(':')
  if (named !== undefined && named.startsWith('/')) return named
  if (process.geteuid?.() === 0) return '/var/lib/icecore'
  return join(absolute(environment['XDG_STATE_HOME']) ?? join(homedir(), '.local', 'state'), 'icecore')
}

function absolute(folder: string | undefined): string | null {
  return folder?.startsWith('/') === true ? folder : null
}
