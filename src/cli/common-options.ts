import type { OptionDefinitions } from './command.ts'
import { asText, oneOf } from './option-values.ts'

const PROGRESS_MODES = ['auto', 'json'] as const

/** Options of every command that works on a repository. */
export const REPOSITORY_OPTIONS = {
  repository: {
    kind: 'value',
    flag: 'repo',
    short: 'r',
    valueName: 'REPO',
    description: 'the repository: a folder',
    environment: 'ICECORE_REPOSITORY',
    parse: asText,
    completes: 'folder',
  },
  passwordFile: {
    kind: 'value',
    flag: 'password-file',
    valueName: 'FILE',
    description: 'read the password from the first line of a file',
    environment: 'ICECORE_PASSWORD_FILE',
    parse: asText,
    completes: 'file',
  },
  passwordCommand: {
    kind: 'value',
    flag: 'password-command',
    valueName: 'COMMAND',
    description: 'take the password from the first line that a program prints; no shell is involved',
    environment: 'ICECORE_PASSWORD_COMMAND',
    parse: asText,
  },
} as const satisfies OptionDefinitions

/** Options of every command. */
export const OUTPUT_OPTIONS = {
  json: { kind: 'switch', flag: 'json', description: 'print the result as one JSON document' },
  quiet: { kind: 'switch', flag: 'quiet', short: 'q', description: 'say nothing but the result and errors' },
  verbose: { kind: 'switch', flag: 'verbose', short: 'v', description: 'say why something failed, in full' },
  progress: {
    kind: 'value',
    flag: 'progress',
    valueName: 'HOW',
    description: 'auto: a line on a terminal; json: one event a line on standard error',
    choices: PROGRESS_MODES,
    parse: oneOf(PROGRESS_MODES),
  },
  progressShown: { kind: 'off-switch', flag: 'progress', description: 'show no progress' },
} as const satisfies OptionDefinitions

export const COMMON_OPTIONS = { ...REPOSITORY_OPTIONS, ...OUTPUT_OPTIONS } as const
