import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'

import type { SkipReason } from '../support/requirements.ts'

const BESIDE_THE_CHECKOUT = fileURLToPath(new URL('../../../shared/corpus', import.meta.url))

/** Where the corpus lies: it is no part of the repository. */
export function corpusFolder(): string {
  return process.env['ICECORE_CORPUS'] ?? BESIDE_THE_CHECKOUT
}

export function needsCorpus(): SkipReason {
  const folder = corpusFolder()
  if (existsSync(join(folder, 'MANIFEST.tsv'))) return false
  return `needs a corpus of disk images in ${folder}, or where ICECORE_CORPUS says`
}
