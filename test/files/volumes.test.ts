import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import * as v from 'valibot'

import { PARTITIONS, writeDiskOfTwo } from '../support/disk-of-two.ts'
import { changeExt4Image, writeExt4Image } from '../support/ext4-image.ts'
import { lvmDevices, needsLvm } from '../support/lvm-devices.ts'
import { putBytes } from '../support/put-bytes.ts'
import { needsLoopDevices } from '../support/requirements.ts'
import { runTool } from '../support/run-tool.ts'
import { temporaryRepository } from '../support/temporary-repository.ts'
import { whileMounted, writeXfsImage, XFS_SIZE_BYTES_MIN } from '../support/xfs-image.ts'

const MIB = 1024 * 1024

test('ls, cat, extract and diff --files read the partitions of a disk', async () => {
  using repository = await temporaryRepository()
  const { folder } = repository
  const disk = folder.join('disk')
  writeDiskOfTwo(disk)
  for (const [part, sizeBytes, offset] of PARTITIONS) {
    mkdirSync(folder.join(`files-${part}`))
    writeFileSync(folder.join(`files-${part}`, 'name'), part)
    writeExt4Image(folder.join(part), { sizeBytes, filesFrom: folder.join(`files-${part}`) })
    putBytes(disk, readFileSync(folder.join(part)), offset)
  }
  const before = await repository.backup([disk])
  await repository.assertRefuses(['ls', 'latest', '/'], {
    exitCode: 2,
    code: 'VOLUME_MISSING',
    message: /2 have a file system, required is the name of one of "p1", "p2"/,
  })
  await repository.assertRefuses(['ls', 'latest', 'p3:/'], {
    exitCode: 2,
    code: 'VOLUME_MISSING',
    message: /Cannot find volume "p3"/,
  })
  assert.equal((await repository.run(['cat', 'latest', 'p2:/name'])).stdout, 'two')
  const taken = await repository.run(['extract', 'latest', 'p1:/name', '--to', folder.join('to')])
  assert.equal(taken.exitCode, 0, taken.stderr)
  assert.equal(readFileSync(folder.join('to', 'name'), 'utf8'), 'one')
  await repository.assertRefuses(['extract', 'latest', 'p1:/', 'p2:/', '--to', folder.join('both')], {
    exitCode: 2,
    code: 'USAGE_WRONG',
    message: /its paths are of different volumes/,
  })
  const volumes = await repository.run(['ls', 'latest'])
  assert.equal(volumes.stdout, 'p1:/  ext4  16.0 MiB\np2:/  ext4  24.0 MiB\n', volumes.stderr)
  writeFileSync(folder.join('new'), 'new')
  changeExt4Image(folder.join('two'), [`write ${folder.join('new')} new`])
  putBytes(disk, readFileSync(folder.join('two')), 20 * MIB)
  const after = await repository.backup([disk])
  const points = [before.pointId, after.pointId]
  const second = await repository.run(['diff', ...points, '--files', '--volume', 'p2'])
  assert.match(second.stdout, /\n\+ \/new\n$/, second.stderr)
  const first = await repository.run(['diff', ...points, '--files', '--volume', 'p1'])
  assert.match(first.stdout, /No file differs/)
  const both = await repository.run(['diff', ...points, '--files'])
  assert.match(both.stdout, /\n1 added; .*\n\n\+ p2:\/new\n$/, both.stderr)
})

test('files of a logical volume on two disks are read', { skip: needsLvm() }, async () => {
  using repository = await temporaryRepository()
  const { folder } = repository
  mkdirSync(folder.join('files'))
  writeFileSync(folder.join('files', 'large'), Buffer.alloc(45 * MIB, 'not zero '))
  writeExt4Image(folder.join('image'), { sizeBytes: 60 * MIB, filesFrom: folder.join('files') })
  const disks: string[] = []
  {
    using lvm = lvmDevices(folder, { sizesBytes: [40 * MIB, 40 * MIB] })
    disks.push(...lvm.images)
    lvm.lvm('vgcreate', '-q', 'vg0', ...lvm.devices)
    // Nine extents of 4 MiB on each disk, behind the first MiB: it needs all of the first and six of the second.
    lvm.lvm('lvcreate', '-q', '-y', '-an', '-Wn', '-Zn', '-L', '60m', '-n', 'data', 'vg0')
  }
  const volume = readFileSync(folder.join('image'))
  for (const [index, bytes] of [volume.subarray(0, 36 * MIB), volume.subarray(36 * MIB)].entries()) {
    writeFileSync(folder.join('part'), bytes)
    putBytes(disks[index] ?? '', readFileSync(folder.join('part')), MIB)
  }
  const before = await repository.backup([...disks, '--name', 'lvm'])
  const listed = await repository.run(['ls', 'latest', 'vg0/data:/'])
  assert.equal(listed.stdout, 'large\nlost+found\n', listed.stderr)
  const taken = await repository.run(['extract', 'latest', '/large', '--to', folder.join('to')])
  assert.equal(taken.exitCode, 0, taken.stderr)
  assert.ok(readFileSync(folder.join('to', 'large')).equals(readFileSync(folder.join('files', 'large'))))
  // Where half of the group is missing, nothing is guessed.
  await repository.assertRefuses(['ls', 'latest', '--object', 'pv1.img'], {
    exitCode: 4,
    code: 'FILE_SYSTEM_UNMAPPED',
    message: /no volume in it has a file system that is read/,
  })
  writeFileSync(folder.join('new'), Buffer.alloc(5 * MIB, 'new '))
  changeExt4Image(folder.join('image'), [`write ${folder.join('new')} new`])
  const changed = readFileSync(folder.join('image'))
  for (const [index, bytes] of [changed.subarray(0, 36 * MIB), changed.subarray(36 * MIB)].entries()) {
    writeFileSync(folder.join('part'), bytes)
    putBytes(disks[index] ?? '', readFileSync(folder.join('part')), MIB)
  }
  await repository.backup([...disks, '--name', 'lvm'])
  const result = await repository.run(['diff', before.pointId, 'latest', '--files', '--volume', 'vg0/data'])
  assert.match(result.stdout, /\n\n\+ \/new\n$/, result.stderr)
})

test(
  'files of an ext4 and of an XFS on one disk are read and compared',
  { skip: needsLoopDevices() },
  async () => {
    using repository = await temporaryRepository()
    const { folder } = repository
    const [disk, small, large] = ['disk', 'ext4', 'xfs'].map((name) => folder.join(name))
    assert.ok(disk !== undefined && small !== undefined && large !== undefined)
    writeFileSync(disk, '')
    truncateSync(disk, XFS_SIZE_BYTES_MIN + 24 * MIB)
    runTool('sfdisk', ['-q', disk], { input: 'label: gpt\nstart=2048, size=32768\nstart=40960\n' })
    mkdirSync(folder.join('files'))
    writeFileSync(folder.join('files', 'name'), 'ext4')
    writeExt4Image(small, { sizeBytes: 16 * MIB, filesFrom: folder.join('files') })
    putBytes(disk, readFileSync(small), MIB)
    writeXfsImage(large, { sizeBytes: XFS_SIZE_BYTES_MIN })
    const writeLarge = (name: string): void => {
      whileMounted(large, folder.join('mounted'), () => writeFileSync(folder.join('mounted', name), name))
      putBytes(disk, readFileSync(large), 20 * MIB)
    }
    writeLarge('first')
    const before = await repository.backup([disk])
    const listed = await repository.run(['ls', 'latest', '--json'])
    assert.deepEqual(v.parse(v.array(v.object({ volume: v.string(), format: v.string() })), listed.json), [
      { volume: 'p1', format: 'ext4' },
      { volume: 'p2', format: 'xfs' },
    ])
    assert.equal((await repository.run(['cat', 'latest', 'p1:/name'])).stdout, 'ext4')
    assert.equal((await repository.run(['cat', 'latest', 'p2:/first'])).stdout, 'first')
    writeLarge('second')
    const after = await repository.backup([disk])
    const result = await repository.run(['diff', before.pointId, after.pointId, '--files'])
    assert.match(result.stdout, /\n\n\+ p2:\/second\n$/, result.stderr)
  },
)
