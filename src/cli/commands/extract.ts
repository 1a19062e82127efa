import type { CommandDefinition } from '../command.ts'
import { asText } from '../option-values.ts'
import { parseFilePath } from '../volume-path.ts'
import { OBJECT_OPTION } from './object-option.ts'
import { POINT_ARGUMENT } from './point-argument.ts'

export const EXTRACT = {
  name: 'extract',
  section: 'Main',
  summary: 'take files and folders out of a volume image',
  description: `Takes files and folders out of a backed-up file system, to the same paths below FOLDER: /etc/fstab goes to FOLDER/etc/fstab. Owners, modes, times, extended attributes, access control lists, hard links, special files and holes come with them. Nothing is mounted.

Where several volumes have a file system, every PATH begins with the name of one of them, the same for all: vg0/home:/srv, as \`icecore ls\` without a PATH lists them.

Nothing that exists is replaced unless --overwrite is given; folders are merged. No link in FOLDER or in the backup leads what is written out of FOLDER. A file that is damaged is named and left out, and the others are taken out all the same. As an ordinary user, owners and devices cannot be kept: the result says so, and the exit code is 3.`,
  arguments: {
    point: POINT_ARGUMENT,
    paths: {
      name: 'PATH',
      description: 'files and folders, or VOLUME:/PATH, as `icecore ls` prints them; / for everything',
      count: 'many',
      parse: parseFilePath,
      completes: 'nothing',
    },
  },
  options: {
    to: {
      kind: 'value',
      flag: 'to',
      valueName: 'FOLDER',
      description: 'where they go; it is made where it does not exist',
      required: true,
      parse: asText,
      completes: 'folder',
    },
    overwrite: {
      kind: 'switch',
      flag: 'overwrite',
      description: 'replace files that exist, and set the metadata of folders that exist',
    },
    object: OBJECT_OPTION,
  },
  repository: 'required',
  examples: [
    { line: 'icecore extract latest /etc /srv/www -r REPO --to /tmp/out', description: 'two folders' },
    { line: 'icecore extract latest:web1 / -r REPO --to /mnt/new', description: 'everything' },
  ],
} as const satisfies CommandDefinition
