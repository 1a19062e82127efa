import type { Scenario } from '../bench.ts'
import { CHECK } from './check.ts'
import { CHUNK_SIZE } from './chunk-size.ts'
import { COMPARED } from './compared.ts'
import { FULL_PORTABLE, FULL_UNCOMPRESSED } from './full-against-restic.ts'
import { FULL } from './full.ts'
import { LIST_FILES } from './list-files.ts'
import { NOTHING_CHANGED } from './nothing-changed.ts'
import { RESTORE } from './restore.ts'
import { SCATTERED } from './scattered.ts'

/** In the order in which they run: the first leaves the repositories that the others begin with. */
export const SCENARIOS: readonly Scenario[] = [
  FULL,
  FULL_UNCOMPRESSED,
  FULL_PORTABLE,
  SCATTERED,
  NOTHING_CHANGED,
  COMPARED,
  RESTORE,
  CHECK,
  CHUNK_SIZE,
  LIST_FILES,
]
