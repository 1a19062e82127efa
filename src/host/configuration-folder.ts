import { join } from 'node:path'

type Environment = Readonly<Record<string, string | undefined>>

const SYSTEM_FOLDER = '/etc/icecore'

/**
 * Where a host keeps who it is: `authority` of a mover, `agent` of an agent. Of root it is the system's, whoever became root
 * and from which home; of others it is in their own configuration.
 */
export function configurationFolder(name: 'authority' | 'agent', environment: Environment): string {
  if (process.geteuid?.() === 0) return join(SYSTEM_FOLDER, name)
  const home = environment['HOME'] ?? ''
  const configHome = environment['XDG_CONFIG_HOME'] ?? ''
  // The specification says to ignore a relative $XDG_CONFIG_HOME.
  const folder = configHome.startsWith('/') ? configHome : home && join(home, '.config')
  return folder === '' ? join(SYSTEM_FOLDER, name) : join(folder, 'icecore', name)
}
