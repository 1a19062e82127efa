import type { CommandDefinition } from '../command.ts'
import { AGENT_FOLDER_OPTION } from './authority-options.ts'

export const AGENT_STATUS = {
  name: 'agent status',
  section: 'Keeping',
  summary: "show what this host's agent may do, holds, and was asked last",
  description:
    'Shows the agent of this host without a connection to it: what its configuration allows, how long its certificate is good, which frozen images are held, and the last calls of its audit log.',
  arguments: {},
  options: { folder: AGENT_FOLDER_OPTION },
  repository: 'none',
  examples: [{ line: 'icecore agent status', description: 'on the host that owns the data' }],
} as const satisfies CommandDefinition
