import type { CommandDefinition } from '../command.ts'
import { POINT_ARGUMENT } from './point-argument.ts'

export const SHOW = {
  name: 'show',
  section: 'Looking',
  summary: 'show one point: objects, sizes, ledger',
  description:
    'Shows a recovery point: its objects and their sizes, and the ledger of the run that made it: what was asked for, read, skipped and tested, and why it is not as good as it might be.',
  arguments: { point: POINT_ARGUMENT },
  options: {},
  repository: 'required',
  examples: [{ line: 'icecore show latest -r REPO', description: 'what the last run did' }],
} as const satisfies CommandDefinition
