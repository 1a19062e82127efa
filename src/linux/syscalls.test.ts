import assert from 'node:assert/strict'
import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadNative, nativeAbsence } from './native.ts'
import { syscalls } from './syscalls.ts'
import { loopDevice } from '../../test/support/loop-device.ts'
import { needsLoopDevices } from '../../test/support/requirements.ts'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'

const TIB = 2 ** 40

test('loadNative() binds functions of the C library', () => {
  const native = loadNative()
  assert.ok(native !== null)
  assert.equal(nativeAbsence(), null)
  assert.equal(Number(native.func('int getpid(void)')()), process.pid)
  assert.throws(() => native.func('int icecore_no_such_function(void)'), /icecore_no_such_function/)
})

test('seekData() and seekHole() work beyond 2^32', async () => {
  const kernel = syscalls()
  assert.ok(kernel !== null)
  using folder = temporaryFolder()
  await using file = await open(join(folder.path, 'volume.img'), 'w+')
  await file.truncate(4 * TIB)
  await file.write(new Uint8Array(65_536).fill(1), 0, 65_536, 3 * TIB)
  assert.equal(kernel.seekData(file.fd, 0), 3 * TIB)
  assert.equal(kernel.seekHole(file.fd, 3 * TIB), 3 * TIB + 65_536)
  assert.equal(kernel.seekData(file.fd, 3 * TIB + 65_536), null)
  assert.equal(kernel.seekHole(file.fd, 5 * TIB), null)
})

test('syscalls() throw the name of the error', async () => {
  const kernel = syscalls()
  assert.ok(kernel !== null)
  using folder = temporaryFolder()
  await using file = await open(join(folder.path, 'volume.img'), 'w+')
  assert.throws(() => kernel.deviceSizeBytes(file.fd), { code: 'ENOTTY', syscall: 'ioctl' })
  assert.throws(() => kernel.advise(-1, { offset: 0, length: 1 }, 'not-needed'), { code: 'EBADF' })
  assert.throws(() => kernel.punchHole(file.fd, { offset: 0, length: 0 }), { code: 'EINVAL' })
})

test('tryLock() is refused while another has the lock', async () => {
  const kernel = syscalls()
  assert.ok(kernel !== null)
  using folder = temporaryFolder()
  const path = join(folder.path, 'lock')
  await using first = await open(path, 'w')
  await using second = await open(path, 'w')
  assert.equal(kernel.tryLock(first.fd), true)
  assert.equal(kernel.tryLock(second.fd), false)
})

test('syscalls() ask a device', { skip: needsLoopDevices() }, async () => {
  const kernel = syscalls()
  assert.ok(kernel !== null)
  using folder = temporaryFolder()
  const path = join(folder.path, 'disk.img')
  await writeFile(path, new Uint8Array(65_536))
  using device = loopDevice(path, { sectorSizeBytes: 4096 })
  await using handle = await open(device.path)
  assert.equal(kernel.deviceSizeBytes(handle.fd), 65_536)
  assert.equal(kernel.logicalSectorSizeBytes(handle.fd), 4096)
  assert.equal(kernel.physicalSectorSizeBytes(handle.fd), 4096)
  kernel.flushDeviceCache(handle.fd)
  kernel.advise(handle.fd, { offset: 0, length: 65_536 }, 'will-need')
})
