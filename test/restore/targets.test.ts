import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { writeExt4Image } from '../support/ext4-image.ts'
import { loopDevice } from '../support/loop-device.ts'
import { mixedBytes } from '../support/mixed-bytes.ts'
import { needsLoopDevices } from '../support/requirements.ts'
import { runTool } from '../support/run-tool.ts'
import { sha256File } from '../support/sha256-file.ts'
import { temporaryRepository } from '../support/temporary-repository.ts'

const KIB = 1024
const MIB = 1024 * KIB
const BLOCK_OF_STAT = 512

function allocatedBytes(path: string): number {
  return statSync(path).blocks * BLOCK_OF_STAT
}

/** Data, then a large hole, then data. */
function writeHoledImage(path: string): void {
  writeFileSync(path, mixedBytes('head', 4 * MIB))
  truncateSync(path, 60 * MIB)
  writeFileSync(path, mixedBytes('tail', 4 * MIB), { flag: 'a' })
}

test('restore makes a sparse file, or with --sparse never one that is allocated', async () => {
  using repository = await temporaryRepository()
  const image = repository.folder.join('image')
  writeHoledImage(image)
  await repository.backup([image])
  const sparse = repository.folder.join('sparse')
  await repository.restore(['latest', '--to', sparse])
  assert.equal(await sha256File(sparse), await sha256File(image))
  assert.ok(allocatedBytes(sparse) <= 9 * MIB, `${allocatedBytes(sparse)} bytes`)
  const full = repository.folder.join('full')
  await repository.restore(['latest', '--to', full, '--sparse', 'never'])
  assert.equal(await sha256File(full), await sha256File(image))
  assert.ok(allocatedBytes(full) >= 64 * MIB, `${allocatedBytes(full)} bytes`)
})

test('restore refuses a file that exists, replaces it when told to, and keeps it when it fails', async () => {
  using repository = await temporaryRepository()
  const { folder } = repository
  const image = folder.join('image')
  const target = folder.join('target')
  writeFileSync(image, mixedBytes('image', 2 * MIB))
  writeFileSync(target, 'mine', { mode: 0o640 })
  await repository.backup([image])
  await repository.assertRefuses(['restore', 'latest', '--to', target], {
    exitCode: 4,
    code: 'TARGET_EXISTS',
    message: /exists/,
  })
  assert.equal(readFileSync(target, 'utf8'), 'mine')
  await repository.restore(['latest', '--to', target, '--overwrite'])
  assert.equal(await sha256File(target), await sha256File(image))
  assert.equal(statSync(target).mode & 0o777, 0o640)
  const inNothing = ['restore', 'latest', '--to', folder.join('nothing', 'target')]
  await repository.assertRefuses(inNothing, {
    exitCode: 4,
    code: 'TARGET_MISSING',
    message: /folder does not exist/,
  })
  await repository.assertRefuses(['restore', 'latest', '--to', folder.path], {
    exitCode: 4,
    code: 'TARGET_UNSUITABLE',
    message: /directory/,
  })
  for (const [point, code] of [
    ['latest:nobody', 'POINT_MISSING'],
    ['12', 'POINT_MISSING'],
    ['0123456789abcdef', 'POINT_MISSING'],
  ] as const) {
    const words = ['restore', point, '--to', folder.join('never')]
    await repository.assertRefuses(words, { exitCode: 2, code, message: /Cannot find point/ })
  }
  assert.ok(!existsSync(folder.join('never')))
})

test('restore --differing writes only what differs into a file', async () => {
  using repository = await temporaryRepository()
  const { folder } = repository
  const image = folder.join('image')
  const target = folder.join('target')
  writeHoledImage(image)
  const bytes = readFileSync(image)
  await repository.backup([image])
  const differing = ['latest', '--to', target, '--differing']

  const asNew = await repository.restore(differing)
  assert.ok(asNew.writtenBytes <= 8 * MIB)
  const nothing = await repository.restore(differing)
  assert.deepEqual([nothing.writtenBytes, nothing.zeroedBytes], [0, 0])
  assert.equal(nothing.keptBytes, 64 * MIB)

  const changed = Buffer.from(bytes)
  changed.fill(0xee, 100, 101) // One chunk of data.
  changed.fill(0xee, 20 * MIB, 20 * MIB + 1) // One in the hole.
  writeFileSync(target, changed)
  const two = await repository.restore(differing)
  assert.equal(two.writtenBytes, 64 * KIB)
  assert.ok(two.zeroedBytes >= 64 * KIB && two.zeroedBytes <= 8 * MIB, `${two.zeroedBytes} zeroed`)
  assert.equal(await sha256File(target), await sha256File(image))

  for (const sizeBytes of [70 * MIB, MIB + 17]) {
    writeFileSync(target, bytes.subarray(0, sizeBytes))
    truncateSync(target, sizeBytes)
    await repository.restore(differing)
    assert.equal(await sha256File(target), await sha256File(image))
  }
})

test(
  'restore to a device wants a confirmation, and one that is free and large enough',
  {
    skip: needsLoopDevices(),
  },
  async () => {
    using repository = await temporaryRepository()
    const { folder } = repository
    const image = folder.join('image')
    writeHoledImage(image)
    await repository.backup([image])
    const disk = folder.join('disk')
    writeExt4Image(disk, { sizeBytes: 64 * MIB })
    const before = await sha256File(disk)
    {
      using device = loopDevice(disk)
      const words = ['restore', 'latest', '--to', device.path]
      await repository.assertRefuses(words, {
        exitCode: 2,
        code: 'TARGET_NOT_CONFIRMED',
        message: /required is a confirmation/,
      })
      mkdirSync(folder.join('mounted'))
      runTool('mount', ['-o', 'ro', device.path, folder.join('mounted')])
      try {
        const inUse = { exitCode: 4, code: 'TARGET_IN_USE', message: /it is mounted at/ }
        await repository.assertRefuses([...words, '--yes'], inUse)
        await repository.assertRefuses([...words, '--yes', '--differing'], inUse)
      } finally {
        runTool('umount', [folder.join('mounted')])
      }
    }
    {
      using device = loopDevice(disk, { readOnly: true })
      await repository.assertRefuses(['restore', 'latest', '--to', device.path, '--yes'], {
        exitCode: 4,
        code: 'TARGET_UNSUITABLE',
        message: /./,
      })
    }
    assert.equal(await sha256File(disk), before)
    truncateSync(disk, 63 * MIB)
    using small = loopDevice(disk)
    await repository.assertRefuses(['restore', 'latest', '--to', small.path, '--yes'], {
      exitCode: 4,
      code: 'TARGET_TOO_SMALL',
      message: /the device has 66060288 bytes, required are 67108864/,
    })
  },
)

test(
  'restore to a device discards zeros, and with --differing writes only what differs',
  {
    skip: needsLoopDevices(),
  },
  async () => {
    using repository = await temporaryRepository()
    const { folder } = repository
    const image = folder.join('image')
    const disk = folder.join('disk')
    writeHoledImage(image)
    const made = await repository.backup([image])
    writeFileSync(disk, mixedBytes('what was there', 66 * MIB))
    using device = loopDevice(disk)
    await repository.restore([made.pointId, '--to', device.path, '--yes'])
    runTool('cmp', ['-n', String(64 * MIB), image, device.path])
    assert.ok(allocatedBytes(disk) <= 12 * MIB, `${allocatedBytes(disk)} bytes are left allocated`)

    writeFileSync(device.path, mixedBytes('another', 64 * KIB), { flag: 'r+' })
    runTool('sync', [device.path])
    const again = await repository.restore([made.pointId, '--to', device.path, '--yes', '--differing'])
    assert.equal(again.writtenBytes, 64 * KIB)
    assert.equal(again.writtenBytes + again.zeroedBytes + again.keptBytes, 64 * MIB)
    runTool('cmp', ['-n', String(64 * MIB), image, device.path])

    // A device as a source: all of it is read, its holes are found to be zeros.
    const back = await repository.backup([device.path, '--name', 'device'])
    assert.equal(back.objects[0]?.readBytes, 66 * MIB)
    await repository.restore([back.pointId, '--to', folder.join('restored')])
    assert.equal(await sha256File(folder.join('restored')), await sha256File(device.path))
  },
)
