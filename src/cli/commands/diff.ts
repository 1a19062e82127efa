import type { CommandDefinition } from '../command.ts'
import { OBJECT_OPTION } from './object-option.ts'
import { POINT_ARGUMENT } from './point-argument.ts'
import { VOLUME_OPTION } from './volume-option.ts'

export const DIFF = {
  name: 'diff',
  section: 'Looking',
  summary: 'which ranges, or which files, differ between two points',
  description: `Lists the ranges, in whole chunks, that differ between two recovery points. Parts that both share are skipped without being read, so that it costs what changed. The first ranges are shown; --verbose and --json show more. With --json they are a change list from the first point to the second: where the second is smaller, it ends with it.

With --files it lists the files of the ext2, ext3, ext4 or XFS file system inside that differ: + added, - removed, M modified, R renamed, m other metadata only. It reads the inodes in chunks that differ, what leads to them, and of the files only what lies in such chunks or at another place than before. Where a file system cannot be followed so, all folders and inodes are read, and a line says why. Of a disk with several volumes, those of the same name are compared.`,
  arguments: {
    before: { ...POINT_ARGUMENT, description: 'the earlier point: an id, latest, or latest:LINEAGE' },
    after: { ...POINT_ARGUMENT, description: 'the later point' },
  },
  options: {
    files: { kind: 'switch', flag: 'files', description: 'list files instead of ranges' },
    object: { ...OBJECT_OPTION, description: 'which object, where the points have several' },
    volume: { ...VOLUME_OPTION, description: `with --files: ${VOLUME_OPTION.description}` },
  },
  repository: 'required',
  examples: [
    { line: 'icecore diff 3fa9 latest -r REPO', description: 'as OFFSET+LENGTH, with a sum' },
    { line: 'icecore diff 3fa9 latest --files -r REPO', description: 'which files changed between them' },
    {
      line: 'icecore diff 3fa9 latest -r REPO --json',
      description: 'in the form that `icecore backup --changes` takes',
    },
  ],
} as const satisfies CommandDefinition
