import type { CommandDefinition } from '../command.ts'
import { PROVIDER_NAMES } from '../../host/provider-name.ts'
import { AGENT_OPTIONS } from './agent-options.ts'
import { PACE_OPTIONS } from './pace-options.ts'
import { asText, oneOf, parseBase, wholeNumber } from '../option-values.ts'
import { splitWords } from '../split-words.ts'
import { parseVolumePath } from '../volume-path.ts'
import { TLS_OPTIONS } from './tls-options.ts'
import { LANES_OPTION } from './lanes-option.ts'

const WITNESSES_MAX = 1_000_000
const ROTATION_MAX = 100_000
const FREEZE_SECONDS_MAX = 3600

export const BACKUP = {
  name: 'backup',
  section: 'Main',
  summary: 'make a recovery point',
  description: `Reads volumes and stores what the repository does not hold yet. Every recovery point is complete: none depends on another.

A source is a logical volume or its mount point, a file on XFS or Btrfs, an NBD export, or any block device or image file. Logical volumes are frozen by a snapshot and files by a clone, for as long as they are read; a thin snapshot or a clone is kept until the next run, which then reads only what changed. Anything else must stand still by itself: a snapshot, or a volume that nobody writes to.

With --agent the source is on another host, whose agent freezes it and says where its bytes lie; this host reads them there, on the storage that both see. Where it does not see the disks, the agent reads and sends them, and the exit code is 3, unless --transport lan was asked for.

With --path only files are stored: folders with all that is in them, owners, modes, times, extended attributes and access lists, links, devices and holes. They are read where they lie, without mounting; \`icecore extract\` takes them out again.

With a list of changes only those are read, and the list is tested: chunks that it calls unchanged are read at random and compared, and so is a share that moves on with every run. A list that proves wrong is thrown away, everything is compared, and the exit code is 3. Without a list every chunk is compared with the point before.`,
  arguments: {
    sources: {
      name: 'SOURCE',
      description:
        'a volume, its mount point, an image file, or an export of an NBD server (nbd://HOST/EXPORT)',
      count: 'many',
      parse: asText,
      completes: 'file',
    },
  },
  options: {
    name: {
      kind: 'value',
      flag: 'name',
      valueName: 'LINEAGE',
      description: 'the lineage that the point belongs to (default: host and source)',
      parse: asText,
    },
    tags: {
      kind: 'list',
      flag: 'tag',
      valueName: 'TAG',
      description: 'a word to find the point by; may be repeated',
      parse: asText,
    },
    base: {
      kind: 'value',
      flag: 'base',
      valueName: 'BASE',
      description: 'what to compare with: auto (the latest point of the lineage), none, or a POINT',
      default: 'auto',
      parse: parseBase,
    },
    provider: {
      kind: 'value',
      flag: 'provider',
      valueName: 'PROVIDER',
      description: `how sources are frozen: ${PROVIDER_NAMES.join(', ')}; device: they stand still, read them as they are`,
      default: 'auto',
      parse: oneOf(PROVIDER_NAMES),
    },
    changes: {
      kind: 'value',
      flag: 'changes',
      valueName: 'FILE',
      description:
        'what changed since the base: a JSON array of {"offset", "length", "exists"}; - is standard input',
      parse: asText,
      completes: 'file',
    },
    bitmap: {
      kind: 'value',
      flag: 'bitmap',
      valueName: 'NAME',
      description:
        'what changed in an export since the base: its dirty bitmap of this name, as QEMU serves it',
      parse: asText,
    },
    paths: {
      kind: 'list',
      flag: 'path',
      valueName: 'PATH',
      description:
        'only this file or folder of a file system on the source, or VOLUME:/PATH where it has several; may be repeated',
      parse: parseVolumePath,
    },
    whole: {
      kind: 'switch',
      flag: 'whole',
      description: 'read also what the file systems on the source prove free',
    },
    fullRead: { kind: 'switch', flag: 'full-read', description: 'compare every chunk, whatever a list says' },
    witnesses: {
      kind: 'value',
      flag: 'witnesses',
      valueName: 'N',
      description: 'chunks outside the list that are read at random and compared; 0: believe the list',
      default: '256',
      parse: wholeNumber(0, WITNESSES_MAX),
    },
    rotation: {
      kind: 'value',
      flag: 'rotation',
      valueName: 'N',
      description: 'read every byte again every N runs, whatever a list says; 0: never',
      default: '64',
      parse: wholeNumber(0, ROTATION_MAX),
    },
    allowMounted: {
      kind: 'switch',
      flag: 'allow-mounted',
      description: 'back up a mounted volume although it changes meanwhile; the point is marked',
    },
    beforeFreeze: {
      kind: 'list',
      flag: 'before-freeze',
      valueName: 'COMMAND',
      description:
        'a program that brings to rest what writes to the sources; no shell is involved; may be repeated',
      parse: splitWords,
    },
    afterThaw: {
      kind: 'list',
      flag: 'after-thaw',
      valueName: 'COMMAND',
      description: 'a program that lets it go on, run on every way out; may be repeated',
      parse: splitWords,
    },
    configuredHooks: {
      kind: 'off-switch',
      flag: 'hooks',
      description: 'run none of the programs that the configuration file names',
    },
    freezeDeadline: {
      kind: 'value',
      flag: 'freeze-deadline',
      valueName: 'SECONDS',
      description: 'let everything go on after this time, frozen or not (default: 10)',
      parse: wholeNumber(1, FREEZE_SECONDS_MAX),
    },
    ...AGENT_OPTIONS,
    ...PACE_OPTIONS,
    ...TLS_OPTIONS,
    lanes: LANES_OPTION,
    dryRun: {
      kind: 'switch',
      flag: 'dry-run',
      description: 'say what would be read, and how much; store nothing',
    },
  },
  repository: 'required',
  examples: [
    { line: 'icecore backup /dev/vg0/data -r /mnt/backup/volumes', description: 'a volume, frozen for it' },
    {
      line: 'icecore backup disk.img -r REPO --name web1 --changes changes.json',
      description: 'only what changed, tested',
    },
    {
      line: 'icecore backup /dev/vg0/root -r REPO --path /srv/db --path /etc',
      description: 'only these files',
    },
    {
      line: 'icecore backup /dev/vg0/home -r REPO --agent db1.example.com',
      description: 'a volume of another host, read on the storage',
    },
    { line: 'icecore backup /dev/vg0/data -r REPO --dry-run', description: 'how much would be read' },
  ],
  whenCancelled: 'What was stored so far is kept and used by the next run',
} as const satisfies CommandDefinition
