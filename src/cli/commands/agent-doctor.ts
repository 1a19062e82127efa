import type { CommandDefinition } from '../command.ts'
import { AGENT_FOLDER_OPTION } from './authority-options.ts'

export const AGENT_DOCTOR = {
  name: 'agent doctor',
  section: 'Keeping',
  summary: "see whether this host's agent is set up as it should be",
  description: `Looks at the agent's configuration, key and certificate, at what this host can freeze with, and at every source that is allowed: what would freeze it, whether there is room for that now, and whether another host can find its disks. Says for everything that is not well what to change. Nothing is changed.

What it could not look at is shown as unknown, never as well: run it as the user that the agent runs as. The exit code is 0 when all is well or there are warnings only; 3 when something is wrong or unknown and backups still work; 4 or 7 when they do not: because of this host or its sources, or because no mover gets an answer.`,
  arguments: {},
  options: { folder: AGENT_FOLDER_OPTION },
  repository: 'none',
  examples: [{ line: 'icecore agent doctor', description: 'on the host that owns the data' }],
} as const satisfies CommandDefinition
