import type { BigIntStats } from 'node:fs'

/** What lies at a path, in words for a sentence. */
export function kindOf(stats: BigIntStats): string {
  if (stats.isFile()) return 'a file'
  if (stats.isDirectory()) return 'a directory'
  if (stats.isBlockDevice()) return 'a block device'
  if (stats.isCharacterDevice()) return 'a character device'
  if (stats.isFIFO()) return 'a named pipe'
  if (stats.isSocket()) return 'a socket'
  return 'of an unknown kind'
}
