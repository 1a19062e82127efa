import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { loopDevice } from '../../test/support/loop-device.ts'
import { needsLoopDevices } from '../../test/support/requirements.ts'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { diskUnder, parseLinearTable } from './disk-under.ts'

const { signal } = new AbortController()

test('parseLinearTable() follows a device of one piece, and no other', () => {
  assert.deepEqual(parseLinearTable('0 204800 linear 253:0 2048\n'), {
    deviceNumber: '253:0',
    offsetBytes: 1024 * 1024,
  })
  const others = [
    '',
    '0 100 linear 253:0 0\n100 100 linear 253:1 0\n',
    '0 204800 crypt aes-xts-plain64 :64:logon:key 0 253:0 4096',
    '8 204800 linear 253:0 2048',
    '0 204800 striped 2 128 253:0 0 253:1 0',
  ]
  for (const table of others) assert.equal(parseLinearTable(table), null, table)
})

test(
  'diskUnder() finds a disk, which other hosts may not know, and none under a file',
  { skip: needsLoopDevices() },
  async () => {
    using folder = temporaryFolder()
    writeFileSync(folder.join('disk'), new Uint8Array(1024 * 1024))
    using device = loopDevice(folder.join('disk'))
    const found = await diskUnder(device.path, signal)
    assert.deepEqual(
      [found?.identity.name, found?.identity.sizeBytes, found?.offsetBytes],
      [null, 1024 * 1024, 0],
    )
    assert.equal(await diskUnder(folder.join('disk'), signal), null)
  },
)
