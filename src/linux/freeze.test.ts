import assert from 'node:assert/strict'
import { test } from 'node:test'

import { isWritable, mountedFileSystem } from '../../test/support/mounted-file-system.ts'
import { needsLoopDevices } from '../../test/support/requirements.ts'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { openFreezableMount } from './freeze.ts'

for (const format of ['ext4', 'xfs'] as const) {
  test(`freeze() makes writers of ${format} wait until thaw()`, { skip: needsLoopDevices() }, async () => {
    using folder = temporaryFolder()
    using mounted = mountedFileSystem(folder, 'fs', { format, sizeBytes: 512 * 1024 * 1024 })
    await using mount = await openFreezableMount(mounted.mountPoint)
    await mount.sync()
    assert.equal(await mount.thaw(), false)
    await mount.freeze()
    assert.equal(await isWritable(mounted.mountPoint, 200), false)
    await assert.rejects(mount.freeze(), { code: 'EBUSY' })
    assert.equal(await mount.thaw(), true)
    assert.equal(await isWritable(mounted.mountPoint, 10_000), true)
  })
}

test(
  'openFreezableMount() knows two mount points of one file system',
  { skip: needsLoopDevices() },
  async () => {
    using folder = temporaryFolder()
    using first = mountedFileSystem(folder, 'first')
    using second = mountedFileSystem(folder, 'second')
    await using one = await openFreezableMount(first.mountPoint)
    await using other = await openFreezableMount(second.mountPoint)
    await using same = await openFreezableMount(`${first.mountPoint}/lost+found`)
    assert.notEqual(one.deviceNumber, other.deviceNumber)
    assert.equal(one.deviceNumber, same.deviceNumber)
  },
)

test('freeze() says which call the system refused', { skip: needsLoopDevices() }, async () => {
  await using proc = await openFreezableMount('/proc')
  await assert.rejects(proc.freeze(), { code: 'ENOTSUP', syscall: 'FIFREEZE' })
})
