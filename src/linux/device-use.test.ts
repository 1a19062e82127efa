import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { describeUse, deviceUse, type DeviceUse } from './device-use.ts'
import { loopDevice } from '../../test/support/loop-device.ts'
import { needsLoopDevices } from '../../test/support/requirements.ts'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'

const MIB = 1024 * 1024
const skip = needsLoopDevices()
const unused: DeviceUse = {
  mountedReadWrite: [],
  mountedReadOnly: [],
  swap: false,
  holders: [],
  loopDevices: [],
}

test('describeUse() names the most telling use', () => {
  assert.equal(describeUse(unused), null)
  assert.equal(describeUse({ ...unused, holders: ['dm-0', 'dm-1'] }), 'it is part of dm-0, dm-1')
  assert.equal(describeUse({ ...unused, mountedReadOnly: ['/x'], swap: true }), 'it is mounted at "/x"')
})

test('deviceUse() finds nothing about a file that nobody uses', async () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'volume.img')
  await writeFile(path, 'x')
  assert.deepEqual(await deviceUse(path), unused)
})

test('deviceUse() throws when there is nothing', async () => {
  await assert.rejects(deviceUse('/no/such/device'), { code: 'ENOENT' })
})

test('deviceUse() follows a file over its loop device to the mount', { skip }, async () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'volume.img')
  const mountPoint = join(folder.path, 'mounted here')
  await mkdir(mountPoint)
  await writeFile(path, new Uint8Array(8 * MIB))
  execFileSync('mke2fs', ['-q', '-t', 'ext4', path])
  using device = loopDevice(path)
  assert.deepEqual(await deviceUse(device.path), unused)
  assert.deepEqual(await deviceUse(path), { ...unused, loopDevices: [device.path] })
  for (const [option, use] of [
    ['rw', { mountedReadWrite: [mountPoint] }],
    ['ro', { mountedReadOnly: [mountPoint] }],
  ] as const) {
    execFileSync('mount', ['-o', option, device.path, mountPoint])
    try {
      assert.deepEqual(await deviceUse(device.path), { ...unused, ...use })
      assert.deepEqual(await deviceUse(path), { ...unused, ...use, loopDevices: [device.path] })
    } finally {
      execFileSync('umount', [mountPoint])
    }
  }
})

test('deviceUse() follows a device to the loop device on it', { skip }, async () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'volume.img')
  const mountPoint = join(folder.path, 'mounted')
  await mkdir(mountPoint)
  await writeFile(path, new Uint8Array(8 * MIB))
  execFileSync('mke2fs', ['-q', '-t', 'ext4', path])
  using lower = loopDevice(path)
  using upper = loopDevice(lower.path)
  execFileSync('mount', [upper.path, mountPoint])
  try {
    const use = { ...unused, mountedReadWrite: [mountPoint] }
    assert.deepEqual(await deviceUse(lower.path), { ...use, loopDevices: [upper.path] })
    assert.deepEqual(await deviceUse(path), { ...use, loopDevices: [lower.path, upper.path].toSorted() })
  } finally {
    execFileSync('umount', [mountPoint])
  }
})

test('deviceUse() follows a disk to its partitions', { skip }, async () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'disk.img')
  const mountPoint = join(folder.path, 'mounted')
  await mkdir(mountPoint)
  await writeFile(path, new Uint8Array(16 * MIB))
  using device = loopDevice(path)
  // By hand, since a kernel may know no partition table at all; detaching removes it.
  execFileSync('addpart', [device.path, '1', '2048', '16384'])
  const partition = `${device.path}p1`
  execFileSync('mke2fs', ['-q', '-t', 'ext4', partition])
  execFileSync('mount', [partition, mountPoint])
  try {
    assert.deepEqual(await deviceUse(device.path), { ...unused, mountedReadWrite: [mountPoint] })
    assert.deepEqual(await deviceUse(partition), { ...unused, mountedReadWrite: [mountPoint] })
    assert.deepEqual((await deviceUse(path)).mountedReadWrite, [mountPoint])
  } finally {
    execFileSync('umount', [mountPoint])
    execFileSync('delpart', [device.path, '1'])
  }
})
