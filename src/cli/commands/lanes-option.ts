import type { OptionDefinition } from '../command.ts'
import { wholeNumber } from '../option-values.ts'

const LANES_MAX = 256

/** How many worker threads do the work. */
export const LANES_OPTION = {
  kind: 'value',
  flag: 'lanes',
  valueName: 'N',
  description: 'worker threads (default: one for each processor)',
  parse: wholeNumber(1, LANES_MAX),
} as const satisfies OptionDefinition
