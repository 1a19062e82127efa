import type { CommandDefinition } from '../command.ts'
import { asText } from '../option-values.ts'

export const IMAGES_LIST = {
  name: 'images list',
  section: 'Keeping',
  summary: 'list frozen images that are held, and what they cost',
  description:
    'Lists the snapshots and clones that icecore holds on this host: those of runs that go on, and those that the next run of a lineage compares with. Images of runs that were killed are released.',
  arguments: {},
  options: {
    keepAbandoned: {
      kind: 'switch',
      flag: 'keep-abandoned',
      description: 'list images of runs that were killed, and release none',
    },
  },
  repository: 'none',
  examples: [{ line: 'icecore images list', description: 'what is held here' }],
} as const satisfies CommandDefinition

export const IMAGES_RELEASE = {
  name: 'images release',
  section: 'Keeping',
  summary: 'release frozen images',
  description:
    'Removes snapshots and clones that icecore holds on this host. The next run of a lineage whose image is released compares everything, and says so.',
  arguments: {
    images: {
      name: 'IMAGE',
      description: 'an id or a label, as `icecore images list` shows it',
      count: 'many',
      parse: asText,
    },
  },
  options: {
    force: {
      kind: 'switch',
      flag: 'force',
      description: 'release also the image of a run that goes on: that run fails',
    },
  },
  repository: 'none',
  examples: [{ line: 'icecore images release vg0/icecore-3f2a', description: 'one of them' }],
} as const satisfies CommandDefinition
