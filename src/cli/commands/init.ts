import type { CommandDefinition } from '../command.ts'
import { asText, parseChunkSize, parseCompression } from '../option-values.ts'

export const INIT = {
  name: 'init',
  section: 'Main',
  summary: 'make a repository',
  description: `Makes a repository in a folder that is empty or does not exist yet.

It is encrypted unless you say otherwise. Besides the password, a recovery key is made: it opens the repository when the password is lost. Keep it away from this machine.`,
  arguments: {
    repository: {
      name: 'REPO',
      description: 'the folder (default: what --repo or ICECORE_REPOSITORY says)',
      count: 'optional',
      parse: asText,
      completes: 'folder',
    },
  },
  options: {
    encryption: { kind: 'off-switch', flag: 'encryption', description: 'store what everybody can read' },
    chunkSize: {
      kind: 'value',
      flag: 'chunk-size',
      valueName: 'SIZE',
      description:
        'a power of two from 16KiB to 4MiB, for good; small chunks store scattered changes in less space (default: 128KiB)',
      parse: parseChunkSize,
    },
    compression: {
      kind: 'value',
      flag: 'compression',
      valueName: 'HOW',
      description: 'zstd:LEVEL, with a level from 1 to 19, or none',
      default: 'zstd:1',
      parse: parseCompression,
    },
    recoveryKeyFile: {
      kind: 'value',
      flag: 'recovery-key-file',
      valueName: 'FILE',
      description: 'write the recovery key to a new file instead of printing it once',
      parse: asText,
      completes: 'file',
    },
  },
  repository: 'optional',
  examples: [
    { line: 'icecore init /mnt/backup/volumes', description: 'encrypted, asks for a password twice' },
    {
      line: 'icecore init /mnt/backup/volumes --password-file /root/pw --recovery-key-file /media/usb/key',
      description: 'from a script',
    },
  ],
} as const satisfies CommandDefinition
