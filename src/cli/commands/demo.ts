import { parseByteSize } from '../../domain/byte-size.ts'
import type { CommandDefinition } from '../command.ts'
import { asText } from '../option-values.ts'

export const DEMO = {
  name: 'demo',
  section: 'Learning',
  summary: 'the whole story on a made volume, without root',
  description:
    'Makes a volume with real files and a repository in a temporary folder, backs it up, changes it, backs up what changed, restores both points, compares them bit by bit and checks the repository. Nothing outside the folder is touched.',
  arguments: {},
  options: {
    size: {
      kind: 'value',
      flag: 'size',
      valueName: 'SIZE',
      description: 'the size of the volume',
      default: '1GiB',
      parse: parseByteSize,
    },
    folder: {
      kind: 'value',
      flag: 'folder',
      valueName: 'FOLDER',
      description: 'where to work (default: a new temporary folder)',
      parse: asText,
      completes: 'folder',
    },
    keep: { kind: 'switch', flag: 'keep', description: 'keep the volume and the repository, to look at' },
  },
  repository: 'none',
  examples: [{ line: 'icecore demo', description: 'takes less than a minute' }],
} as const satisfies CommandDefinition
