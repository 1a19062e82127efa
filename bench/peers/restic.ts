import { basename, dirname, join } from 'node:path'
import type { Command } from '../measure.ts'
import type { Peer } from './peer.ts'

export type ResticSettings = {
  readonly compression: 'auto' | 'off'
  /** From 0.15 on it can restore sparsely. */
  readonly canRestoreSparsely: boolean
}

export function restic(settings: ResticSettings): Peer {
  const sparse = settings.canRestoreSparsely ? ['--sparse'] : []
  return {
    name: `restic ${settings.compression}`,
    tools: ['restic'],
    prepare: (state) => [resticCommand(state, ['init'])],
    backUp: ({ state, source }) => ({
      // From the folder of the source, so that the point holds the file and not the path to it.
      ...resticCommand(state, ['backup', '--compression', settings.compression, basename(source)]),
      folder: dirname(source),
    }),
    restore: ({ state, source, target }) => ({
      command: resticCommand(state, ['restore', 'latest', '--target', target, ...sparse]),
      restoredFile: join(target, basename(source)),
    }),
  }
}

function resticCommand(state: string, args: readonly string[]): Command {
  return {
    argv: ['restic', '--quiet', '--repo', join(state, 'repo'), ...args],
    env: { RESTIC_PASSWORD: 'bench', RESTIC_CACHE_DIR: join(state, 'cache') },
  }
}
