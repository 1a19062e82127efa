import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { test } from 'node:test'
import { needsLoopDevices } from '../../../test/support/requirements.ts'
import { loopDevice } from '../../../test/support/loop-device.ts'
import { mountedFileSystem } from '../../../test/support/mounted-file-system.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { blockDisks } from './block-disks.ts'
import { disksUnder } from './disks-under.ts'
import { lvmVersions } from './lvm-versions.ts'
import { ownPrivileges } from './privileges.ts'
import { tryDisk } from './try-disk.ts'

const MIB = 1024 * 1024
const never = new AbortController().signal

test(
  'blockDisks() finds a loop device as a local disk that cannot be written',
  { skip: needsLoopDevices() },
  async () => {
    using folder = temporaryFolder()
    const image = folder.join('disk.img')
    writeFileSync(image, new Uint8Array(4 * MIB).fill(3))
    using device = loopDevice(image, { sectorSizeBytes: 4096, readOnly: true })
    const here = await blockDisks()
    const disk = here.find(({ path }) => path === device.path)
    assert.deepEqual(disk, {
      kernelName: basename(device.path),
      path: device.path,
      kind: 'disk',
      identity: { name: null, sizeBytes: 4 * MIB, sectorSizeBytes: 4096 },
      transport: 'local',
      isReadOnly: true,
    })
    assert.deepEqual(await disksUnder(device.path, here), [disk])
    assert.deepEqual(await disksUnder(image, here), [])
    assert.deepEqual(await tryDisk(device.path), { use: null, activeGroups: [], readFailure: null })
  },
)

test('tryDisk() says that a disk is mounted', { skip: needsLoopDevices() }, async () => {
  using folder = temporaryFolder()
  using mounted = mountedFileSystem(folder, 'volume')
  const line = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .find((one) => one.split(' ')[1] === mounted.mountPoint)
  const { use, readFailure } = await tryDisk(line?.split(' ')[0] ?? '')
  assert.equal(use, `it is mounted at "${mounted.mountPoint}"`)
  assert.equal(readFailure, null)
})

test('ownPrivileges() and lvmVersions() read what the system says of them', async () => {
  const { userId, capabilities } = await ownPrivileges()
  assert.equal(userId, process.geteuid?.())
  assert.notEqual(capabilities, null)
  const { lvm } = await lvmVersions(never)
  // A host without LVM is one too.
  assert.ok(
    lvm.kind === 'missing' || (lvm.kind === 'version' && /^2\.\d\d\.\d/.test(lvm.text)),
    JSON.stringify(lvm),
  )
})
