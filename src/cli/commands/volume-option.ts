import type { ValueDefinition } from '../command.ts'
import { asText } from '../option-values.ts'

/** Which volume inside an image. */
export const VOLUME_OPTION = {
  kind: 'value',
  flag: 'volume',
  valueName: 'VOLUME',
  description: 'one volume inside alone, where several have a file system: p1, vg0/home, vg0/disk/p2',
  parse: asText,
} as const satisfies ValueDefinition
