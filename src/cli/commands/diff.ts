import type { CommandDefinition } from '../command.ts'
import { asText } from '../option-values.ts'
import { POINT_ARGUMENT } from './point-argument.ts'

export const DIFF = {
  name: 'diff',
  section: 'Looking',
  summary: 'which ranges differ between two points',
  description:
    'Lists the ranges, in whole chunks, that differ between two recovery points. Parts that both share are skipped without being read, so that it costs what changed. The first ranges are shown; --verbose and --json show more. With --json they are a change list from the first point to the second: where the second is smaller, it ends with it.',
  arguments: {
    before: { ...POINT_ARGUMENT, description: 'the earlier point: an id, latest, or latest:LINEAGE' },
    after: { ...POINT_ARGUMENT, description: 'the later point' },
  },
  options: {
    object: {
      kind: 'value',
      flag: 'object',
      valueName: 'NAME',
      description: 'which object, where the points have several',
      parse: asText,
    },
  },
  repository: 'required',
  examples: [
    { line: 'icecore diff 3fa9 latest -r REPO', description: 'as OFFSET+LENGTH, with a sum' },
    {
      line: 'icecore diff 3fa9 latest -r REPO --json',
      description: 'in the form that `icecore backup --changes` takes',
    },
  ],
} as const satisfies CommandDefinition
