import type { ValueDefinition } from '../command.ts'
import { asText } from '../option-values.ts'

/** Which volume of a point. */
export const OBJECT_OPTION = {
  kind: 'value',
  flag: 'object',
  valueName: 'NAME',
  description: 'which object, where a point has several',
  parse: asText,
} as const satisfies ValueDefinition
