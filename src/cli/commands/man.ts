import type { CommandDefinition } from '../command.ts'

export const MAN = {
  name: 'man',
  section: 'Learning',
  summary: 'print the manual page',
  description: 'Prints icecore(1) in the language of man, made from the same definitions as the help.',
  arguments: {},
  options: {},
  repository: 'none',
  examples: [
    { line: 'icecore man | man -l -', description: 'read it' },
    { line: 'icecore man > /usr/local/share/man/man1/icecore.1', description: 'install it' },
  ],
} as const satisfies CommandDefinition
