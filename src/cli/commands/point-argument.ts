import type { ArgumentDefinition } from '../command.ts'
import { parsePointReference } from '../option-values.ts'

/** One recovery point. */
export const POINT_ARGUMENT = {
  name: 'POINT',
  description: 'an id or the first digits of one, latest, or latest:LINEAGE',
  count: 'one',
  parse: parsePointReference,
} as const satisfies ArgumentDefinition
