import type { CommandDefinition } from '../command.ts'
import { asText, oneOf } from '../option-values.ts'
import { agentOption, transportOption } from './agent-options.ts'
import { AUTHORITY_OPTION } from './authority-options.ts'
import { LANES_OPTION } from './lanes-option.ts'
import { POINT_ARGUMENT } from './point-argument.ts'

const SPARSE = ['auto', 'never'] as const

export const RESTORE = {
  name: 'restore',
  section: 'Main',
  summary: 'write a point to a device or a file',
  description: `Writes an object of a recovery point to a block device or an image file. Every chunk is verified before it is written.

A device must not be mounted or in use, must be large enough, and must be confirmed by --yes.

With --agent the target is a volume of another host. This host writes it on the storage that both see, on disks that are named by --san-disk and by no other; otherwise the agent is sent what it writes, and the exit code is 3, unless --transport lan was asked for. The agent's configuration must allow to restore to it.`,
  arguments: { point: POINT_ARGUMENT },
  options: {
    to: {
      kind: 'value',
      flag: 'to',
      valueName: 'TARGET',
      description: 'a block device, or a file to make',
      required: true,
      parse: asText,
      completes: 'file',
    },
    object: {
      kind: 'value',
      flag: 'object',
      valueName: 'NAME',
      description: 'which object, where a point has several',
      parse: asText,
    },
    differing: {
      kind: 'switch',
      flag: 'differing',
      description: 'read the target first and write only what differs',
    },
    overwrite: { kind: 'switch', flag: 'overwrite', description: 'replace a file that exists' },
    yes: { kind: 'switch', flag: 'yes', description: 'write to a block device: what it holds is lost' },
    sparse: {
      kind: 'value',
      flag: 'sparse',
      valueName: 'WHEN',
      description: 'auto: zeros become holes where the target can have them; never: they are written',
      default: 'auto',
      choices: SPARSE,
      parse: oneOf(SPARSE),
    },
    lanes: LANES_OPTION,
    agent: agentOption('the target is a volume of this host, which its agent opens'),
    transport: transportOption("how the bytes get to an agent's volume", {
      san: 'this host writes its disks',
      lan: 'the agent writes',
    }),
    sanDisks: {
      kind: 'list',
      flag: 'san-disk',
      valueName: 'DISK',
      description: 'a disk that may be written for an agent, such as wwn:naa.6001405…; may be repeated',
      parse: asText,
    },
    authority: AUTHORITY_OPTION,
  },
  repository: 'required',
  examples: [
    { line: 'icecore restore latest -r REPO --to disk.img', description: 'the latest point, to a new file' },
    {
      line: 'icecore restore latest:web1 -r REPO --to /dev/vg0/data --differing --yes',
      description: 'back onto a device, writing only what differs',
    },
    {
      line: 'icecore restore latest:home -r REPO --agent db1 --to /dev/vg0/home --san-disk wwn:naa.60014051 --yes',
      description: 'onto a volume of another host, on the storage',
    },
  ],
} as const satisfies CommandDefinition
