import { join } from 'node:path'
import type { Peer } from './peer.ts'

/** Reads only the blocks that the file system uses; compressed by zstd. No deduplication, no encryption. */
export function partclone(): Peer {
  // The paths are arguments of the shell, never part of its text.
  const script = 'partclone.ext4 -c -s "$1" -o - -L /dev/null 2>/dev/null | zstd -q -1 -T2 -f -o "$2"'
  return {
    name: 'partclone | zstd -1 -T2',
    tools: ['partclone.ext4', 'zstd'],
    prepare: (state) => [{ argv: ['mkdir', '-p', join(state, 'repo')] }],
    backUp: ({ state, source }) => ({
      argv: ['bash', '-o', 'pipefail', '-c', script, 'bash', source, join(state, 'repo', 'volume.pcl.zst')],
    }),
  }
}
