import type { CommandDefinition } from '../command.ts'
import { agentOption } from './agent-options.ts'
import { AUTHORITY_OPTION } from './authority-options.ts'

export const DOCTOR = {
  name: 'doctor',
  section: 'Learning',
  summary: 'see whether everything is set up as it should be',
  description: `Looks at this host, at the repository, and with --agent at an agent and at what this host sees of its disks. Says what it found, and for everything that is not well what to change. Nothing is changed.

What it could not look at is shown as unknown, never as well: as root it can look at all of it. The exit code is 0 when all is well or there are warnings only; 3 when something is wrong or unknown and backups still work; 4, 5 or 7 when they do not: because of this host, the repository, or the agent.`,
  arguments: {},
  options: {
    agent: agentOption('look at the way to this agent, and at its disks as this host sees them'),
    authority: AUTHORITY_OPTION,
  },
  repository: 'optional',
  examples: [
    { line: 'icecore doctor', description: 'this host, and the repository of ICECORE_REPOSITORY' },
    { line: 'icecore doctor --agent db1.example.com', description: 'as the mover of an agent' },
  ],
} as const satisfies CommandDefinition
