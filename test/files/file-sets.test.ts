import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { openFileSet } from '../../src/formats/file-set/open-file-set.ts'
import { fileImage } from '../support/bytes-image.ts'
import { PARTITIONS, writeDiskOfTwo } from '../support/disk-of-two.ts'
import { changeExt4Image, writeExt4Image } from '../support/ext4-image.ts'
import { fillExt4 } from '../support/ext4-tree.ts'
import { readFormatTree, readMountedTree, type FileTree } from '../support/file-tree.ts'
import { loopDevice } from '../support/loop-device.ts'
import { lvmDevices, needsLvm } from '../support/lvm-devices.ts'
import { debugExt4 } from '../support/make-ext4.ts'
import { mixedBytes } from '../support/mixed-bytes.ts'
import { putBytes } from '../support/put-bytes.ts'
import { needsLoopDevices } from '../support/requirements.ts'
import { runTool } from '../support/run-tool.ts'
import { temporaryRepository, type TemporaryRepository } from '../support/temporary-repository.ts'
import { assertSameAsCopied, writeVariedImage } from '../support/varied-image.ts'
import { whileMounted, writeXfsImage, XFS_SIZE_BYTES_MIN } from '../support/xfs-image.ts'
import { fillXfs } from '../support/xfs-tree.ts'

const MIB = 1024 * 1024

for (const format of ['ext4', 'xfs'] as const) {
  test(
    `backup --path of all of ${format} gives back what \`cp -a\` copies from a mount`,
    { skip: needsLoopDevices() },
    async () => {
      using repository = await temporaryRepository()
      const { folder } = repository
      const image = writeVariedImage(folder, format)
      const first = await repository.backup([image, '--path', '/'])
      assert.equal(first.done.mode, 'full')
      const done = await repository.run(['extract', 'latest', '/', '--to', folder.join('taken')])
      assert.equal(done.exitCode, 0, done.stderr)
      assertSameAsCopied(folder)
      await repository.assertWhole()
    },
  )
}

/** What the kernel shows of an image, mounted without changing it. */
function kernelTree(repository: TemporaryRepository, image: string): FileTree {
  using device = loopDevice(image)
  const mountPoint = repository.folder.join('shown')
  mkdirSync(mountPoint, { recursive: true })
  runTool('mount', ['-o', 'ro', device.path, mountPoint])
  try {
    // The form in which XFS keeps what is shown as an access list.
    return readMountedTree(mountPoint, { ignoredAttributes: /^trusted\.SGI_ACL/ })
  } finally {
    runTool('umount', [mountPoint])
  }
}

/** What is in a file set, which is restored as an image for that. */
async function storedTree(repository: TemporaryRepository): Promise<FileTree> {
  const path = repository.folder.join('set')
  await repository.restore(['latest', '--to', path])
  await using image = fileImage(path)
  const tree = await readFormatTree(await openFileSet(image), image)
  rmSync(path)
  return tree
}

/** Numbers of a file set are places in its catalogue. */
function assertSameTree(found: FileTree, expected: FileTree): void {
  assert.deepEqual([...found.keys()].toSorted(), [...expected.keys()].toSorted())
  for (const [path, { number: _number, ...file }] of found) {
    const { number: _other, ...other } = expected.get(path) ?? { number: 0 }
    assert.deepEqual(file, other, `of "${path}"`)
  }
}

const FILLED: Readonly<Record<string, (image: string, mountPoint: string) => void>> = {
  'ext4 with inline data': (image, mountPoint) => {
    writeFileSync(image, '')
    truncateSync(image, 300 * MIB)
    const words = ['-t', 'ext4', '-b', '1024', '-I', '256', '-O', 'inline_data,ea_inode']
    runTool('mke2fs', ['-q', '-F', '-N', '4096', ...words, image])
    whileMounted(image, mountPoint, () =>
      fillExt4(mountPoint, {
        entryCount: 3000,
        fragmentCount: 2000,
        attributeBytes: 60_000,
        hasExtents: true,
        blockSizeBytes: 1024,
      }),
    )
  },
  xfs: (image, mountPoint) => {
    writeXfsImage(image, { sizeBytes: XFS_SIZE_BYTES_MIN })
    whileMounted(image, mountPoint, () =>
      fillXfs(mountPoint, { entryCount: 3000, fragmentCount: 2000, blockSizeBytes: 4096, hasReflink: true }),
    )
  },
}

for (const [name, fill] of Object.entries(FILLED)) {
  test(`a file set has what the kernel shows of ${name}`, { skip: needsLoopDevices() }, async () => {
    using repository = await temporaryRepository({ encrypted: true, init: ['--chunk-size', '16KiB'] })
    const image = repository.folder.join('image')
    fill(image, repository.folder.join('mnt'))
    await repository.backup([image, '--path', '/'])
    assertSameTree(await storedTree(repository), kernelTree(repository, image))
    const again = await repository.backup([image, '--path', '/'])
    const [object] = again.objects
    assert.deepEqual([again.done.mode, object?.newChunkCount, object?.changedBytes], ['compared', 0, 0])
  })
}

for (const format of ['ext4', 'xfs'] as const) {
  const title = `a file set of a ${format} that lost power is marked and has what the kernel recovers`
  test(title, { skip: needsLoopDevices() }, async () => {
    using repository = await temporaryRepository()
    const { folder } = repository
    const [image, copy, mountPoint] = [folder.join('image'), folder.join('copy'), folder.join('mnt')]
    if (format === 'ext4') writeExt4Image(image, { sizeBytes: 100 * MIB })
    else writeXfsImage(image, { sizeBytes: XFS_SIZE_BYTES_MIN })
    const options = format === 'ext4' ? 'data=journal' : 'noatime'
    {
      using device = loopDevice(image)
      mkdirSync(mountPoint)
      runTool('mount', ['-o', options, device.path, mountPoint])
      try {
        mkdirSync(`${mountPoint}/folder`)
        for (let index = 0; index < 100; index += 1) {
          writeFileSync(`${mountPoint}/folder/${index}`, mixedBytes(`${index}`, 100 + 977 * index))
        }
        // What of an XFS is in its log alone is not seen.
        if (format === 'xfs') runTool('xfs_io', ['-x', '-c', 'freeze', '-c', 'thaw', mountPoint])
        mkdirSync(`${mountPoint}/later`)
        runTool('sync', ['-f', mountPoint])
        runTool('cp', ['--sparse=always', image, copy])
      } finally {
        runTool('umount', [mountPoint])
      }
    }
    const made = await repository.backup([copy, '--path', '/folder'], 3)
    assert.deepEqual(
      made.degraded.map(({ code }) => code),
      ['FILE_SYSTEM_UNCLEAN'],
    )
    assert.match(made.degraded[0]?.message ?? '', /taken from (ext4|xfs) of copy as it is: its (journal|log)/)
    const trees = [await storedTree(repository), kernelTree(repository, copy)]
    const [found, expected] = trees.map(
      (tree) => new Map([...tree].filter(([path]) => path.startsWith('/folder'))),
    )
    assert(found?.size === 101 && expected !== undefined)
    assertSameTree(found, expected)
  })
}

/** An image made without root, and the folder of its files. */
function writeSmallImage(repository: TemporaryRepository): string {
  const { folder } = repository
  for (const name of ['etc/inner', 'srv/db', 'other'])
    mkdirSync(folder.join('files', name), { recursive: true })
  writeFileSync(folder.join('files', 'etc', 'one'), 'first')
  writeFileSync(folder.join('files', 'etc', 'inner', 'two'), 'second')
  writeFileSync(folder.join('files', 'srv', 'db', 'table'), mixedBytes('table', 3 * MIB))
  writeFileSync(folder.join('files', 'other', 'file'), mixedBytes('other', 5 * MIB))
  runTool('ln', ['-s', '/srv', folder.join('files', 'link')])
  const image = folder.join('image')
  writeExt4Image(image, { sizeBytes: 32 * MIB, filesFrom: folder.join('files') })
  return image
}

test('backup --path stores what was chosen, and later what changed of it', async () => {
  using repository = await temporaryRepository()
  const { folder } = repository
  const image = writeSmallImage(repository)
  const words = [image, '--path', '/etc', '--path', '/srv/db/table']
  const planned = await repository.run(['backup', ...words, '--dry-run'])
  assert.match(planned.stdout, /^Would read \d\.\d+ MiB of image \(full; .* hold data\)\n$/, planned.stderr)
  const first = await repository.backup(words)
  assert.match(first.lineage, /:.*image:\/etc\+\/srv\/db\/table$/)
  assert.ok((first.objects[0]?.readBytes ?? 0) < 4 * MIB)
  assert.deepEqual(first.objects[0]?.volumes, [{ name: '', format: 'ext4', reason: null }])
  const listed = await repository.run(['ls', 'latest', '-R'])
  assert.equal(listed.stdout, '/etc\n/etc/inner\n/etc/inner/two\n/etc/one\n/srv\n/srv/db\n/srv/db/table\n')
  assert.equal((await repository.run(['cat', 'latest', '/etc/inner/two'])).stdout, 'second')

  writeFileSync(folder.join('new'), 'new')
  changeExt4Image(image, [
    'cd etc',
    'rm one',
    `write ${folder.join('new')} one`,
    `write ${folder.join('new')} three`,
  ])
  const second = await repository.backup(words)
  assert.equal(second.done.mode, 'compared')
  assert.ok((second.objects[0]?.newChunkCount ?? 9) <= 3)
  const told = await repository.run(['diff', first.pointId, second.pointId, '--files'])
  assert.match(
    told.stdout,
    /\n\nM \/etc\/one.*\n\+ \/etc\/three\n$|\n\n.*\/etc\/one.*\n.*\/etc\/three\n$/,
    told.stderr,
  )
  const taken = await repository.run(['extract', 'latest', '/', '--to', folder.join('to')])
  assert.equal(taken.exitCode, 0, taken.stderr)
  assert.equal(readFileSync(folder.join('to', 'etc', 'three'), 'utf8'), 'new')
  assert.ok(
    readFileSync(folder.join('to', 'srv', 'db', 'table')).equals(
      readFileSync(folder.join('files', 'srv', 'db', 'table')),
    ),
  )
  await repository.assertWhole()
})

test('backup --path says what it cannot do', async () => {
  using repository = await temporaryRepository()
  const { folder } = repository
  const image = writeSmallImage(repository)
  const refuses = (
    words: readonly string[],
    expected: Parameters<TemporaryRepository['assertRefuses']>[1],
  ): Promise<void> => repository.assertRefuses(['backup', image, ...words], expected)
  await refuses(['--path', '/etc', '--path', '/srv/no/thing'], {
    exitCode: 4,
    code: 'SOURCE_MISSING',
    message: /Cannot back up "\/srv\/no\/thing" of image: "\/srv" has no "no"$/m,
  })
  await refuses(['--path', '/link/db'], {
    exitCode: 4,
    code: 'SOURCE_MISSING',
    message: /"\/link" is a symbolic link to "\/srv", required is a path without links$/m,
  })
  await refuses(['--path', 'p1:/etc'], {
    exitCode: 2,
    code: 'VOLUME_MISSING',
    message: /none lies on "p1", required is the name of a volume: ""/,
  })
  writeFileSync(folder.join('list'), '[]')
  await refuses(['--path', '/etc', '--changes', folder.join('list')], {
    exitCode: 2,
    code: 'USAGE_WRONG',
    message: /Cannot use --changes with --path/,
  })
  await refuses(['--path', '/etc', '--whole'], {
    exitCode: 2,
    code: 'USAGE_WRONG',
    message: /Cannot use --whole with --path/,
  })
  await repository.assertRefuses(['backup', folder.join('list'), '--path', '/'], {
    exitCode: 4,
    code: 'SOURCE_UNSUITABLE',
    message: /Cannot back up "\/" of ".*list": Cannot find a file system/,
  })
  assert.deepEqual(await repository.points(), [])
})

test('backup --path stores what is sound around a damaged file', async () => {
  using repository = await temporaryRepository()
  const image = writeSmallImage(repository)
  debugExt4(image, ['sif /srv/db/table block[0] 0x12345678'])
  const made = await repository.backup([image, '--path', '/'], 3)
  const [reason] = made.degraded
  assert.equal(reason?.code, 'FILES_UNREADABLE')
  assert.match(
    reason?.message ?? '',
    /^Of image, 1 file is not wholly in the point, because they cannot be read: "\/srv\/db\/table" \(Cannot read /,
  )
  const listed = await repository.run(['ls', 'latest', '-R'])
  assert.match(listed.stdout, /\n\/srv\/db\n$/)
  assert.equal((await repository.run(['cat', 'latest', '/etc/one'])).stdout, 'first')
  const asked = await repository.run(['backup', image, '--path', '/srv/db', '--path', '/etc', '--json'])
  assert.equal(asked.exitCode, 3)
})

test('a file set is not restored over a device', { skip: needsLoopDevices() }, async () => {
  using repository = await temporaryRepository()
  await repository.backup([writeSmallImage(repository), '--path', '/etc'])
  const target = repository.folder.join('target')
  writeFileSync(target, new Uint8Array(MIB).fill(7))
  using device = loopDevice(target)
  await repository.assertRefuses(['restore', 'latest', '--to', device.path, '--yes'], {
    exitCode: 4,
    code: 'TARGET_UNSUITABLE',
    message: /it is a set of files, not a volume; required is a file, or `icecore extract`/,
  })
})

test('backup --path takes files of several partitions, by name', async () => {
  using repository = await temporaryRepository()
  const { folder } = repository
  const disk = folder.join('disk')
  writeDiskOfTwo(disk)
  for (const [part, sizeBytes, offset] of PARTITIONS) {
    mkdirSync(folder.join(part, 'etc'), { recursive: true })
    writeFileSync(folder.join(part, 'etc', 'name'), part)
    writeExt4Image(folder.join('part'), { sizeBytes, filesFrom: folder.join(part) })
    putBytes(disk, readFileSync(folder.join('part')), offset)
  }
  await repository.assertRefuses(['backup', disk, '--path', '/etc'], {
    exitCode: 2,
    code: 'VOLUME_MISSING',
    message: /Cannot back up "\/etc" of .*: it has 2 of them, required is the name of a volume: "p1", "p2"/,
  })
  const made = await repository.backup([disk, '--path', 'p1:/etc', '--path', 'p2:/etc/name'])
  assert.deepEqual(
    made.objects.map(({ name }) => name),
    ['p1', 'p2'],
  )
  for (const [volume, part] of [
    ['p1', 'one'],
    ['p2', 'two'],
  ] as const) {
    for (const words of [[`${volume}:/etc/name`], ['/etc/name', '--object', volume]]) {
      const shown = await repository.run(['cat', 'latest', ...words])
      assert.equal(shown.stdout, part, shown.stderr)
    }
  }
})

test('backup --path takes files of a logical volume on two disks', { skip: needsLvm() }, async () => {
  using repository = await temporaryRepository()
  const { folder } = repository
  mkdirSync(folder.join('files'))
  const large = mixedBytes('large', 45 * MIB)
  writeFileSync(folder.join('files', 'large'), large)
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
  putBytes(disks[0] ?? '', volume.subarray(0, 36 * MIB), MIB)
  putBytes(disks[1] ?? '', volume.subarray(36 * MIB), MIB)
  for (const path of ['/large', 'vg0/data:/large']) {
    const made = await repository.backup([...disks, '--path', path])
    assert.deepEqual(
      made.objects.map(({ name }) => name),
      ['vg0/data'],
    )
    const to = folder.join(`to ${path.length}`)
    const taken = await repository.run(['extract', 'latest', '/large', '--to', to])
    assert.equal(taken.exitCode, 0, taken.stderr)
    assert.ok(readFileSync(`${to}/large`).equals(large))
  }
})

test('backup --path reads a block device', { skip: needsLoopDevices() }, async () => {
  using repository = await temporaryRepository()
  const image = writeSmallImage(repository)
  copyFileSync(image, repository.folder.join('copy'))
  using device = loopDevice(repository.folder.join('copy'), { sectorSizeBytes: 4096 })
  await repository.backup([device.path, '--path', '/etc', '--path', '/srv'])
  const to = repository.folder.join('to')
  const taken = await repository.run(['extract', 'latest', '/', '--to', to])
  assert.equal(taken.exitCode, 0, taken.stderr)
  assert.equal(readFileSync(`${to}/etc/one`, 'utf8'), 'first')
  assert.ok(readFileSync(`${to}/srv/db/table`).equals(mixedBytes('table', 3 * MIB)))
  // What is mounted moves its files.
  const mountPoint = repository.folder.join('mnt')
  mkdirSync(mountPoint)
  runTool('mount', [device.path, mountPoint])
  try {
    await repository.assertRefuses(['backup', device.path, '--path', '/etc', '--allow-mounted'], {
      exitCode: 4,
      code: 'SOURCE_IN_USE',
      message: /Cannot take files out of .*: it is mounted for writing/,
    })
  } finally {
    runTool('umount', [mountPoint])
  }
})
