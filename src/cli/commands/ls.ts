import type { CommandDefinition } from '../command.ts'
import { parseFilePath } from '../volume-path.ts'
import { OBJECT_OPTION } from './object-option.ts'
import { POINT_ARGUMENT } from './point-argument.ts'

export const LS = {
  name: 'ls',
  section: 'Looking',
  summary: 'list the files inside a volume image',
  description: `Lists what is in a folder of a backed-up ext2, ext3, ext4 or XFS file system, in the order of the bytes of the names. The file system is read from the repository: nothing is mounted, and root is not needed. It may lie in a partition or in a logical volume of what was backed up. Where there are several, a PATH begins with the name of one: p1:/etc, vg0/home:/, vg0/disk/p2:/srv; without a PATH, the volumes are listed.

Names are printed so that each has one form: a backslash as \\\\, and what cannot be printed as \\n, \\t, \\r or \\x and two hexadecimal digits. Every command takes a PATH in this form.`,
  arguments: {
    point: POINT_ARGUMENT,
    path: {
      name: 'PATH',
      description: 'a folder or a file, or VOLUME:/PATH; the root unless it is given',
      count: 'optional',
      parse: parseFilePath,
      completes: 'nothing',
    },
  },
  options: {
    long: {
      kind: 'switch',
      flag: 'long',
      short: 'l',
      description: 'with mode, links, owner, group, size and time',
    },
    recursive: {
      kind: 'switch',
      flag: 'recursive',
      short: 'R',
      description: 'with all that is in its folders, as paths from the root',
    },
    object: OBJECT_OPTION,
  },
  repository: 'required',
  examples: [
    { line: 'icecore ls latest /etc -l -r REPO', description: 'one folder, as `ls -l` shows it' },
    { line: 'icecore ls latest vg0/home:/ -r REPO', description: 'of a logical volume on a disk' },
    { line: 'icecore ls latest:web1 /srv -R -r REPO', description: 'every path below /srv' },
  ],
} as const satisfies CommandDefinition
