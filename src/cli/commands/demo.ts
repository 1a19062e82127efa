import { parseByteSize } from '../../domain/byte-size.ts'
import type { CommandDefinition } from '../command.ts'
import { asText } from '../option-values.ts'

const VOLUME_SIZE_MIN_BYTES = 256 * 2 ** 20
const VOLUME_SIZE_MAX_BYTES = 64 * 2 ** 30

/** Smaller volumes would say little about real ones; larger ones would take long to make and to compare. */
function parseVolumeSize(text: string): number {
  const bytes = parseByteSize(text)
  if (bytes >= VOLUME_SIZE_MIN_BYTES && bytes <= VOLUME_SIZE_MAX_BYTES && bytes % 2 ** 20 === 0) return bytes
  throw new SyntaxError(`Cannot read "${text}": expected whole MiB from 256MiB to 64GiB`)
}

export const DEMO = {
  name: 'demo',
  section: 'Learning',
  summary: 'the whole story on a made volume, without root',
  description:
    'Makes a volume with files of this machine and a repository in a temporary folder, backs it up, changes it, backs up what changed, tries a wrong list of changes, restores both points, compares them bit by bit and checks the repository. The files are only read, and nothing outside the folder is written.',
  arguments: {},
  options: {
    size: {
      kind: 'value',
      flag: 'size',
      valueName: 'SIZE',
      description: 'the size of the volume',
      default: '1GiB',
      parse: parseVolumeSize,
    },
    folder: {
      kind: 'value',
      flag: 'folder',
      valueName: 'FOLDER',
      description: 'where to make the temporary folder (default: where the system has room for it)',
      parse: asText,
      completes: 'folder',
    },
    keep: { kind: 'switch', flag: 'keep', description: 'keep the volume and the repository, to look at' },
  },
  repository: 'none',
  examples: [
    { line: 'icecore demo', description: 'takes less than a minute' },
    {
      line: 'icecore demo --keep --folder /var/tmp',
      description: 'and leaves the repository there to play with',
    },
  ],
} as const satisfies CommandDefinition
