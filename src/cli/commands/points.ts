import type { CommandDefinition } from '../command.ts'
import { asText } from '../option-values.ts'

export const POINTS = {
  name: 'points',
  section: 'Looking',
  summary: 'list recovery points',
  description: 'Lists the recovery points of a repository, the oldest first.',
  arguments: {},
  options: {
    lineage: {
      kind: 'value',
      flag: 'lineage',
      valueName: 'NAME',
      description: 'only those of one lineage',
      parse: asText,
    },
    tags: {
      kind: 'list',
      flag: 'tag',
      valueName: 'TAG',
      description: 'only those that have the tag; may be repeated',
      parse: asText,
    },
  },
  repository: 'required',
  examples: [
    { line: 'icecore points -r /mnt/backup/volumes', description: 'all of them' },
    { line: "icecore points -r REPO --json | jq -r '.[].id'", description: 'their ids, for a script' },
  ],
} as const satisfies CommandDefinition
