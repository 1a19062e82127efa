import { join } from 'node:path'
import type { Peer } from './peer.ts'

/** The compressor alone: no deduplication, no encryption, and holes are read as zeros. */
export function zstd(): Peer {
  return {
    name: 'zstd -1 -T2',
    tools: ['zstd'],
    prepare: (state) => [{ argv: ['mkdir', '-p', join(state, 'repo')] }],
    backUp: ({ state, source }) => ({
      argv: ['zstd', '-q', '-1', '-T2', '-f', source, '-o', archiveIn(state)],
    }),
    restore: ({ state, target }) => {
      const restoredFile = join(target, 'volume.img')
      return {
        command: { argv: ['zstd', '-q', '-d', '-f', archiveIn(state), '-o', restoredFile] },
        restoredFile,
      }
    },
  }
}

function archiveIn(state: string): string {
  return join(state, 'repo', 'volume.img.zst')
}
