import { join } from 'node:path'
import type { Peer } from './peer.ts'

/** A compressed qcow2: clusters of 64 KiB, zstd, written out of order by eight coroutines. No encryption. */
export function qemuImg(): Peer {
  const options = ['-f', 'raw', '-O', 'qcow2', '-o', 'compression_type=zstd', '-m', '8', '-W']
  return {
    name: 'qemu-img convert -c',
    tools: ['qemu-img'],
    prepare: (state) => [{ argv: ['mkdir', '-p', join(state, 'repo')] }],
    backUp: ({ state, source }) => ({
      argv: ['qemu-img', 'convert', '-c', ...options, source, join(state, 'repo', 'volume.qcow2')],
    }),
  }
}
