import type { StructurePlace } from './format-error.ts'

/** Something wrong or odd that did not stop the reading: a second copy that differs, a checksum that does not fit. */
export type Finding = StructurePlace & {
  /** What was found and what is expected, as the end of a sentence: `checksum is 0x1, expected 0x2`. */
  readonly found: string
}
