import type { CommandDefinition } from '../command.ts'
import { asText, wholeNumber } from '../option-values.ts'
import { parseVolumePath } from '../volume-path.ts'
import { TLS_OPTIONS } from './tls-options.ts'

const EXTENTS_MAX = 10_000_000

export const MAP = {
  name: 'map',
  section: 'Looking',
  summary: 'show where the bytes lie, layer by layer, down to the disks',
  description: `Reads partition tables, LVM, thin pools, ext2, ext3, ext4 and XFS from the bytes of devices or image files, and shows what lies on what, how much of it is in use, and why something cannot be mapped. Nothing is mounted or written.

With --path it shows the extents of files, from the file down to the disks. The disks of one volume group must be given together.`,
  arguments: {
    sources: {
      name: 'SOURCE',
      description: 'a block device, an image file, or an export of an NBD server (nbd://HOST/EXPORT)',
      count: 'many',
      parse: asText,
      completes: 'file',
    },
  },
  options: {
    paths: {
      kind: 'list',
      flag: 'path',
      valueName: '[VOLUME:]/PATH',
      description: 'a file inside the source; may be repeated',
      parse: parseVolumePath,
    },
    extents: {
      kind: 'value',
      flag: 'extents',
      valueName: 'N',
      description: 'how many extents of each file are shown',
      default: '20',
      parse: wholeNumber(0, EXTENTS_MAX),
    },
    ...TLS_OPTIONS,
  },
  repository: 'none',
  examples: [
    { line: 'icecore map /dev/vda', description: 'what lies on a disk, and how full it is' },
    {
      line: 'icecore map /dev/sda /dev/sdb --path vg0/data:/srv/db/main',
      description: 'where a file lies on two disks',
    },
  ],
} as const satisfies CommandDefinition
