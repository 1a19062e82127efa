import { formatByteSize } from '../../domain/byte-size.ts'
import { type Finding, ok, warning } from './finding.ts'

export type CacheFacts = {
  readonly path: string
  /** Why nothing can be kept there; null when it can. */
  readonly failure: string | null
  readonly freeBytes: number | null
}

/** Of a repository of 10 TiB the index is larger than this. */
const LITTLE_BYTES = 1024 ** 3

/** Where the copy of the index is kept from one run to the next. */
export function checkCacheFolder({ path, failure, freeBytes }: CacheFacts): Finding {
  const name = 'cache-folder'
  const advice = 'Name a folder that this user may write to as `cacheFolder` in icecore.yaml'
  if (failure !== null) {
    return warning(
      name,
      `Every run has to fetch the whole index: nothing can be kept in ${path}, ${failure}`,
      advice,
    )
  }
  if (freeBytes !== null && freeBytes < LITTLE_BYTES) {
    return warning(
      name,
      `${path} has ${formatByteSize(freeBytes)} left for copies of indexes`,
      'Make room there, or name another `cacheFolder` in icecore.yaml',
    )
  }
  return ok(name, `The copy of the index is kept in ${path}`)
}
