import assert from 'node:assert/strict'
import { test } from 'node:test'

import { neededModules } from './needed-modules.ts'

test('neededModules() takes the modules of the folders and what they need, each once', () => {
  const dependencies = [
    'kernel/drivers/md/dm-mod.ko:',
    'kernel/drivers/md/dm-crypt.ko: kernel/drivers/md/dm-mod.ko kernel/security/keys/encrypted-keys.ko',
    'kernel/security/keys/encrypted-keys.ko:',
    'kernel/net/ipv6/ipv6.ko:',
    '',
  ]
  assert.deepEqual(neededModules(dependencies.join('\n')).toSorted(), [
    'kernel/drivers/md/dm-crypt.ko',
    'kernel/drivers/md/dm-mod.ko',
    'kernel/security/keys/encrypted-keys.ko',
  ])
})
