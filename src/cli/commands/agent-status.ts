import type { CommandDefinition } from '../command.ts'
import { agentOption } from './agent-options.ts'
import { AGENT_FOLDER_OPTION, AUTHORITY_OPTION } from './authority-options.ts'

export const AGENT_STATUS = {
  name: 'agent status',
  section: 'Keeping',
  summary: 'show what an agent may do, holds, and was asked last',
  description:
    'Shows the agent of this host without a connection to it: what its configuration allows, how long its certificate is good, which frozen images are held, and the last calls of its audit log. With --agent a mover asks the agent of another host, which says all of that but the calls.',
  arguments: {},
  options: {
    agent: agentOption('ask the agent of this host, as its mover'),
    folder: AGENT_FOLDER_OPTION,
    authority: AUTHORITY_OPTION,
  },
  repository: 'none',
  examples: [
    { line: 'icecore agent status', description: 'on the host that owns the data' },
    { line: 'icecore agent status --agent db1.example.com', description: 'from the mover' },
  ],
} as const satisfies CommandDefinition
