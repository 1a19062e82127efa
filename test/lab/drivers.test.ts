import assert from 'node:assert/strict'
import { test } from 'node:test'

import { mountNewFileSystem } from './file-system.ts'
import { openLab } from './lab.ts'
import { needsLab } from './needs-lab.ts'
import { startHost } from './start-host.ts'
import { makeVolumeGroup } from './volume-group.ts'
import { startWriteLoad } from './write-load.ts'

test('a host has the file systems and the faulty devices that tests need', { skip: needsLab() }, async () => {
  await using lab = openLab()
  const disk = { image: lab.diskImage('disk', 320), mode: 'own', serial: 'one' } as const
  await using host = await startHost(lab, { name: 'a', disks: [disk] })
  const group = await makeVolumeGroup(host, 'vg0', ['/dev/sda'])
  for (const [kind, sizeMiB] of [
    ['xfs', 64],
    ['btrfs', 128],
  ] as const) {
    const folder = await mountNewFileSystem(host, kind, await group.makeVolume(kind, sizeMiB))
    await host.output(['dd', 'if=/dev/urandom', `of=${folder}/file`, 'bs=64k', 'count=4', 'status=none'])
    await host.output(['cp', '--reflink=always', `${folder}/file`, `${folder}/clone`])
  }

  const device = await group.makeVolume('raw', 16)
  const load = await startWriteLoad(host, { paths: [device], seed: 3 })
  assert.ok((await load.stop()) > 0)

  const sectors = (await host.output(['blockdev', '--getsz', device])).trim()
  for (const table of [
    `0 ${sectors} flakey ${device} 0 1 1`,
    `0 ${sectors} delay ${device} 0 100`,
    '0 8 error',
  ])
    await host.output(['dmsetup', 'create', `dm-${table.split(' ')[2]}`, '--table', table])
  const refused = await host.run(['dd', 'if=/dev/mapper/dm-error', 'of=/dev/null', 'iflag=direct', 'count=1'])
  assert.match(refused.stderr, /Input\/output error/)
  await host.output(['modprobe', '--all', 'nbd', 'scsi_debug', 'dm-multipath', 'fuse'])
})
