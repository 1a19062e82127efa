import type { CommandDefinition } from '../command.ts'
import { asText } from '../option-values.ts'

export const KEY_LIST = {
  name: 'key list',
  section: 'Keeping',
  summary: 'list key slots',
  description: 'Lists the key slots of a repository: what opens it. The keys themselves are never shown.',
  arguments: {},
  options: {},
  repository: 'required',
  examples: [{ line: 'icecore key list -r REPO', description: 'which keys there are' }],
} as const satisfies CommandDefinition

export const KEY_ADD = {
  name: 'key add',
  section: 'Keeping',
  summary: 'add a password or a recovery key',
  description:
    'Adds a key slot. The password options name a key that opens the repository now; the new password is asked for, or read from the file that --new-password-file names.',
  arguments: {},
  options: {
    newPasswordFile: {
      kind: 'value',
      flag: 'new-password-file',
      valueName: 'FILE',
      description: 'read the new password from the first line of a file',
      parse: asText,
      completes: 'file',
    },
    recoveryKeyFile: {
      kind: 'value',
      flag: 'recovery-key-file',
      valueName: 'FILE',
      description: 'make a recovery key and write it to a new file, instead of adding a password',
      parse: asText,
      completes: 'file',
    },
    label: {
      kind: 'value',
      flag: 'label',
      valueName: 'TEXT',
      description: 'what `icecore key list` shows for it',
      parse: asText,
    },
  },
  repository: 'required',
  examples: [
    { line: 'icecore key add -r REPO --label laptop', description: 'another password' },
    { line: 'icecore key add -r REPO --recovery-key-file /media/usb/key', description: 'a recovery key' },
  ],
} as const satisfies CommandDefinition

export const KEY_REMOVE = {
  name: 'key remove',
  section: 'Keeping',
  summary: 'remove a key slot',
  description:
    'Removes a key slot. The last one and the only recovery key cannot be removed, and the password options must name a key that stays. Whoever has had the key may have kept what it opens: removing it does not encrypt the repository anew.',
  arguments: {
    slot: { name: 'SLOT', description: 'as `icecore key list` shows it', count: 'one', parse: asText },
  },
  options: {},
  repository: 'required',
  examples: [{ line: 'icecore key remove 2 -r REPO', description: 'the slot number 2' }],
} as const satisfies CommandDefinition
