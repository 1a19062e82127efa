import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readSync, writeSync } from 'node:fs'
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { allocateAligned } from './aligned-memory.ts'
import { openLocalTarget } from './local-target.ts'
import { reopenTarget } from './reopen.ts'
import { loopDevice } from '../../test/support/loop-device.ts'
import { needsLoopDevices } from '../../test/support/requirements.ts'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'

const MIB = 1024 * 1024
const skip = needsLoopDevices()

test('openLocalTarget() makes a file that has its name only after commit()', async () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'restored.img')
  {
    await using target = await openLocalTarget(path, { sizeBytes: 4 * MIB })
    assert.equal(target.blank, true)
    assert.equal(target.type, 'file')
    writeSync(target.fd, 'hello', MIB)
    assert.deepEqual(await readdir(folder.path), ['restored.img.icecore-partial'])
    await target.commit()
  }
  assert.deepEqual(await readdir(folder.path), ['restored.img'])
  const bytes = await readFile(path)
  assert.equal(bytes.byteLength, 4 * MIB)
  assert.equal(bytes.toString('utf8', MIB, MIB + 5), 'hello')
  const { blocks, mode } = await stat(path)
  assert.ok(blocks * 512 < MIB)
  assert.equal(mode & 0o777, 0o600)
})

test('openLocalTarget() leaves nothing behind without commit()', async () => {
  using folder = temporaryFolder()
  {
    await using _target = await openLocalTarget(join(folder.path, 'restored.img'), { sizeBytes: MIB })
  }
  assert.deepEqual(await readdir(folder.path), [])
})

test('openLocalTarget() begins anew over what a killed run left', async () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'restored.img')
  await writeFile(`${path}.icecore-partial`, 'rubbish of before')
  await using target = await openLocalTarget(path, { sizeBytes: MIB })
  await target.commit()
  assert.ok((await readFile(path)).equals(Buffer.alloc(MIB)))
})

test('openLocalTarget() lets no two restores write one file', async () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'restored.img')
  await using _first = await openLocalTarget(path, { sizeBytes: MIB })
  await assert.rejects(openLocalTarget(path, { sizeBytes: MIB }), {
    code: 'TARGET_IN_USE',
    message: /another restore is writing it/,
  })
})

test('openLocalTarget() replaces a file only when told, and only by commit()', async () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'restored.img')
  await writeFile(path, 'precious')
  await chmod(path, 0o640)
  await assert.rejects(openLocalTarget(path, { sizeBytes: MIB }), { code: 'TARGET_EXISTS' })
  await using target = await openLocalTarget(path, { sizeBytes: MIB, overwrite: true })
  assert.equal(await readFile(path, 'utf8'), 'precious')
  await target.commit()
  const { size, mode } = await stat(path)
  assert.equal(size, MIB)
  assert.equal(mode & 0o777, 0o640)
})

test('commit() does not replace a file that appeared meanwhile', async () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'restored.img')
  {
    await using target = await openLocalTarget(path, { sizeBytes: MIB })
    await writeFile(path, 'precious')
    await assert.rejects(target.commit(), { code: 'TARGET_EXISTS' })
  }
  assert.equal(await readFile(path, 'utf8'), 'precious')
  assert.deepEqual(await readdir(folder.path), ['restored.img'])
})

test('openLocalTarget() opens a file in place and gives it the size', async () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'restored.img')
  await writeFile(path, 'as before')
  await using target = await openLocalTarget(path, { sizeBytes: MIB, inPlace: true })
  assert.equal(target.blank, false)
  assert.equal(target.workingPath, path)
  writeSync(target.fd, 'AS', 0)
  await target.commit()
  const bytes = await readFile(path)
  assert.equal(bytes.byteLength, MIB)
  assert.equal(bytes.toString('utf8', 0, 9), 'AS before')
})

test('openLocalTarget() refuses what cannot be a target, with one sentence', async () => {
  using folder = temporaryFolder()
  const dangling = join(folder.path, 'dangling')
  await symlink('nowhere', dangling)
  await mkdir(join(folder.path, 'a-folder'))
  const cases = [
    [join(folder.path, 'a-folder'), 'TARGET_UNSUITABLE', /it is a directory/],
    [join(folder.path, 'missing/x.img'), 'TARGET_MISSING', /its folder does not exist/],
    [dangling, 'TARGET_UNSUITABLE', /symbolic link to nothing/],
    ['/dev/icecore-no-such-device', 'TARGET_MISSING', /there is no such device/],
    ['/dev/null', 'TARGET_UNSUITABLE', /it is a character device/],
  ] as const
  for (const [path, code, message] of cases) {
    await assert.rejects(openLocalTarget(path, { sizeBytes: MIB }), { name: 'BackupError', code, message })
  }
  await assert.rejects(openLocalTarget(join(folder.path, 'huge'), { sizeBytes: 2 ** 53 - 1 }), {
    code: 'TARGET_TOO_SMALL',
  })
  assert.ok(!(await readdir(folder.path)).includes('huge.icecore-partial'))
})

for (const sectorSizeBytes of [512, 4096]) {
  test(`openLocalTarget() writes a device of ${sectorSizeBytes}-byte sectors`, { skip }, async () => {
    using folder = temporaryFolder()
    const path = join(folder.path, 'disk.img')
    await writeFile(path, new Uint8Array(4 * MIB))
    using device = loopDevice(path, { sectorSizeBytes })
    await using target = await openLocalTarget(device.path, { sizeBytes: 3 * MIB, confirmed: true })
    assert.equal(target.type, 'device')
    assert.equal(target.sizeBytes, 4 * MIB)
    assert.equal(target.sectorSizeBytes, sectorSizeBytes)
    const bytes = allocateAligned(65_536).fill(3)
    {
      using worker = reopenTarget(target.workingPath, { direct: true })
      assert.equal(worker.direct, true)
      assert.equal(writeSync(worker.fd, bytes, 0, 65_536, MIB), 65_536)
    }
    await target.commit()
    bytes.fill(0)
    readSync(target.fd, bytes, 0, 65_536, MIB)
    assert.ok(bytes.every((byte) => byte === 3))
  })
}

test('openLocalTarget() refuses a device that will not do', { skip }, async () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'disk.img')
  await writeFile(path, new Uint8Array(4 * MIB))
  {
    using device = loopDevice(path)
    await assert.rejects(openLocalTarget(device.path, { sizeBytes: 8 * MIB, confirmed: true }), {
      code: 'TARGET_TOO_SMALL',
      message: `Cannot restore to "${device.path}": the device has 4194304 bytes, required are 8388608`,
    })
    await assert.rejects(openLocalTarget(device.path, { sizeBytes: MIB }), { code: 'TARGET_NOT_CONFIRMED' })
    await assert.rejects(openLocalTarget(path, { sizeBytes: MIB, inPlace: true }), {
      code: 'TARGET_IN_USE',
      message: /it is the backing of \/dev\/loop/,
    })
    await using _holder = await openLocalTarget(device.path, { sizeBytes: MIB, confirmed: true })
    await assert.rejects(openLocalTarget(device.path, { sizeBytes: MIB, confirmed: true }), {
      code: 'TARGET_IN_USE',
      message: /EBUSY/,
    })
  }
  using device = loopDevice(path, { readOnly: true })
  await assert.rejects(openLocalTarget(device.path, { sizeBytes: MIB, confirmed: true }), {
    code: 'TARGET_UNSUITABLE',
  })
})

test('openLocalTarget() refuses a mounted device', { skip }, async () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'disk.img')
  const mountPoint = join(folder.path, 'mounted here')
  await mkdir(mountPoint)
  await writeFile(path, new Uint8Array(8 * MIB))
  execFileSync('mke2fs', ['-q', '-t', 'ext4', path])
  using device = loopDevice(path)
  execFileSync('mount', [device.path, mountPoint])
  try {
    await assert.rejects(openLocalTarget(device.path, { sizeBytes: MIB, confirmed: true }), {
      code: 'TARGET_IN_USE',
      message: `Cannot restore to "${device.path}": it is mounted at "${mountPoint}", required is a device that nothing uses`,
    })
  } finally {
    execFileSync('umount', [mountPoint])
  }
})
