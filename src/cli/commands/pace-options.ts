import type { OptionDefinition } from '../command.ts'
import { parseHours, parseRate, wholeNumber } from '../option-values.ts'

const LATENCY_MS_MAX = 60_000

/** How fast a command may read, and when. */
export const PACE_OPTIONS = {
  limitRate: {
    kind: 'value',
    flag: 'limit-rate',
    valueName: 'SIZE/s',
    description: 'read at most so many bytes a second, such as 100MiB/s (default: no limit)',
    parse: parseRate,
  },
  hours: {
    kind: 'value',
    flag: 'hours',
    valueName: 'FROM-TO',
    description:
      'read only between these times of day, such as 22:00-06:00: wait for them before anything is frozen, and pause when they end, with the image held',
    parse: parseHours,
  },
  latencyMax: {
    kind: 'value',
    flag: 'latency-max',
    valueName: 'MS',
    description:
      "read less while the disks under an agent's source take longer than this to answer (default: as fast as they give)",
    parse: wholeNumber(1, LATENCY_MS_MAX),
  },
} as const satisfies Readonly<Record<string, OptionDefinition>>
