import type { CommandDefinition } from '../command.ts'
import { oneOf } from '../option-values.ts'

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

export const COMPLETION = {
  name: 'completion',
  section: 'Learning',
  summary: 'print what a shell needs to complete commands',
  description: 'Prints a completion script, made from the same definitions as the help.',
  arguments: {
    shell: {
      name: 'SHELL',
      description: 'bash, zsh or fish',
      count: 'one',
      choices: SHELLS,
      parse: oneOf(SHELLS),
    },
  },
  options: {},
  repository: 'none',
  examples: [
    { line: 'source <(icecore completion bash)', description: 'for this shell' },
    {
      line: 'icecore completion fish > ~/.config/fish/completions/icecore.fish',
      description: 'for every one',
    },
  ],
} as const satisfies CommandDefinition
