import { basename, dirname, join } from 'node:path'
import type { Command } from '../measure.ts'
import type { Peer } from './peer.ts'

/** As people back up images with it: blocks of 4 MiB, zstd level 1, encrypted, BLAKE2. */
export function borg(): Peer {
  return {
    name: 'borg zstd,1 fixed 4 MiB',
    tools: ['borg'],
    prepare: (state) => [borgCommand(state, ['init', '--encryption', 'repokey-blake2'])],
    backUp: ({ state, source, run }) => ({
      ...borgCommand(state, [
        'create',
        '--compression',
        'zstd,1',
        '--chunker-params',
        'fixed,4194304',
        `::${run}`,
        basename(source),
      ]),
      folder: dirname(source),
    }),
    restore: ({ state, source, target }) => ({
      command: { ...borgCommand(state, ['extract', '--sparse', '::first']), folder: target },
      restoredFile: join(target, basename(source)),
    }),
  }
}

function borgCommand(state: string, args: readonly string[]): Command {
  return {
    argv: ['borg', ...args],
    env: {
      BORG_REPO: join(state, 'repo'),
      BORG_BASE_DIR: join(state, 'home'),
      BORG_PASSPHRASE: 'bench',
      BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: 'yes',
      BORG_RELOCATED_REPO_ACCESS_IS_OK: 'yes',
    },
  }
}
