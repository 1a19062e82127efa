import type { CommandDefinition } from '../command.ts'
import { parseFilePath } from '../volume-path.ts'
import { OBJECT_OPTION } from './object-option.ts'
import { POINT_ARGUMENT } from './point-argument.ts'

export const CAT = {
  name: 'cat',
  section: 'Looking',
  summary: 'print one file of a volume image',
  description:
    'Writes the content of one file to standard output. Every chunk is verified before any of its bytes are written; where one is damaged, the output ends there and the exit code is not 0. With --json the bytes are not written: the document says what the file is.',
  arguments: {
    point: POINT_ARGUMENT,
    path: {
      name: 'PATH',
      description: 'a file, or VOLUME:/PATH, as `icecore ls` prints it; links are not followed',
      count: 'one',
      parse: parseFilePath,
      completes: 'nothing',
    },
  },
  options: { object: OBJECT_OPTION },
  repository: 'required',
  examples: [
    { line: 'icecore cat latest /etc/fstab -r REPO', description: 'to look at it' },
    { line: 'icecore cat 3fa9 /var/lib/db.sql -r REPO | less', description: 'as it was then' },
  ],
} as const satisfies CommandDefinition
