import type { CommandDefinition } from '../command.ts'
import { parsePercent } from '../option-values.ts'
import { LANES_OPTION } from './lanes-option.ts'

export const CHECK = {
  name: 'check',
  section: 'Keeping',
  summary: 'look for damage: structure, a share, or every byte',
  description: `Verifies that every recovery point can be read: its trees, the index, and that every chunk lies where it should. With --data every stored byte is read and compared with its name.

Damage is listed with the points that it hurts, and the exit code is 6.`,
  arguments: {},
  options: {
    data: { kind: 'switch', flag: 'data', description: 'read and verify every byte' },
    sample: {
      kind: 'value',
      flag: 'sample',
      valueName: 'PERCENT',
      description: 'read and verify a random share',
      parse: parsePercent,
    },
    key: {
      kind: 'off-switch',
      flag: 'key',
      description: 'ask for no password; verify only what needs none',
    },
    lanes: LANES_OPTION,
  },
  repository: 'required',
  examples: [
    { line: 'icecore check -r REPO', description: 'the structure, in seconds' },
    { line: 'icecore check -r REPO --sample 2', description: 'every night two percent of the bytes' },
    { line: 'icecore check -r REPO --data --no-key', description: 'every byte, where the key must not be' },
  ],
} as const satisfies CommandDefinition
