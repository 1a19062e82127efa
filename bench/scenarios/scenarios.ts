import type { Scenario } from '../bench.ts'
import { CHANGED_FILES } from './changed-files.ts'
import { CHECK } from './check.ts'
import { CHUNK_SIZE } from './chunk-size.ts'
import { COMPARED } from './compared.ts'
import { FRAGMENTS } from './fragments.ts'
import { FULL_PORTABLE, FULL_UNCOMPRESSED } from './full-against-restic.ts'
import { FULL } from './full.ts'
import { LIST_FILES } from './list-files.ts'
import { NOTHING_CHANGED } from './nothing-changed.ts'
import { RESTORE } from './restore.ts'
import { SCATTERED } from './scattered.ts'
import { SMALL_FILES } from './small-files.ts'
import { THIN_DIFFERENCE } from './thin-difference.ts'
import { THIN_MAP } from './thin-map.ts'
import { USED_BLOCKS } from './used-blocks.ts'
import { USED_BLOCKS_BACKUP } from './used-blocks-backup.ts'

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
  USED_BLOCKS_BACKUP,
  USED_BLOCKS,
  FRAGMENTS,
  THIN_DIFFERENCE,
  THIN_MAP,
  LIST_FILES,
  CHANGED_FILES,
  SMALL_FILES,
]
