import assert from 'node:assert/strict'
import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { fileImage } from '../../../test/support/bytes-image.ts'
import { fillExt4, type Ext4TreeOptions } from '../../../test/support/ext4-tree.ts'
import { readFormatTree, readMountedTree, type FileTree } from '../../../test/support/file-tree.ts'
import { loopDevice } from '../../../test/support/loop-device.ts'
import { needsLoopDevices } from '../../../test/support/requirements.ts'
import { runTool } from '../../../test/support/run-tool.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { openExt4 } from './open-ext4.ts'

type Case = Partial<Ext4TreeOptions> & {
  readonly name: string
  readonly format: string
  readonly words: readonly string[]
  readonly blockSizeBytes: number
  /** Of the largest directory. */
  readonly hashLevels?: number
}

const CASES: readonly Case[] = [
  { name: 'as mke2fs makes it', format: 'ext4', words: ['-t', 'ext4'], blockSizeBytes: 4096 },
  {
    name: 'with inline data, large directories and attribute inodes',
    format: 'ext4',
    words: [
      '-t',
      'ext4',
      '-O',
      'inline_data,large_dir,ea_inode,metadata_csum_seed',
      '-b',
      '1024',
      '-I',
      '256',
    ],
    blockSizeBytes: 1024,
    attributeBytes: 60_000,
    entryCount: 60_000,
    hashLevels: 3,
  },
  {
    name: 'with inline data in inodes of 1 KiB',
    format: 'ext4',
    words: ['-t', 'ext4', '-O', 'inline_data', '-I', '1024'],
    blockSizeBytes: 4096,
  },
  {
    name: 'with clusters of 64 KiB',
    format: 'ext4',
    words: ['-t', 'ext4', '-O', 'bigalloc,^resize_inode', '-C', '65536'],
    blockSizeBytes: 4096,
  },
  {
    name: 'without checksums and with 32 bits',
    format: 'ext4',
    words: ['-t', 'ext4', '-O', '^metadata_csum,^64bit,^dir_index', '-I', '128'],
    blockSizeBytes: 2048,
    attributeBytes: 1700,
  },
  {
    name: 'with block maps and a journal',
    format: 'ext3',
    words: ['-t', 'ext3', '-I', '128'],
    blockSizeBytes: 1024,
    attributeBytes: 700,
    hasExtents: false,
  },
  {
    name: 'with block maps of 4 KiB blocks',
    format: 'ext2',
    words: ['-t', 'ext2'],
    blockSizeBytes: 4096,
    hasExtents: false,
  },
]

for (const { name, format, words, hashLevels, ...options } of CASES) {
  test(
    `openExt4() reads what the kernel shows of ${format} ${name}`,
    { skip: needsLoopDevices() },
    async () => {
      using folder = temporaryFolder()
      const path = folder.join('image')
      writeFileSync(path, '')
      truncateSync(path, 400 * 1024 * 1024)
      const blockSize = ['-b', String(options.blockSizeBytes)]
      runTool('mke2fs', ['-q', '-F', '-N', '4096', '-L', 'a label', ...blockSize, ...words, path])
      const expected = mountedTree(folder.join('mount'), path, {
        entryCount: 5000,
        fragmentCount: 2000,
        attributeBytes: 3000,
        hasExtents: true,
        ...options,
      })
      if (hashLevels !== undefined) assert.equal(hashLevelsOf(path), hashLevels)
      await using image = fileImage(path)
      const fileSystem = await openExt4(image)
      assert.equal(fileSystem.format, format)
      assert.equal(fileSystem.label, 'a label')
      assert.equal(fileSystem.uuid, runTool('blkid', ['-p', '-o', 'value', '-s', 'UUID', path]).trim())
      assert.deepEqual(fileSystem.allocation, { proven: true })
      assertSameTree(await readFormatTree(fileSystem, image), expected)
      assert.deepEqual(fileSystem.findings, [])
    },
  )
}

for (const dataMode of ['ordered', 'journal']) {
  const title = `openExt4() reads through a journal of mode ${dataMode} what the kernel shows after recovery`
  test(title, { skip: needsLoopDevices() }, async () => {
    using folder = temporaryFolder()
    const path = folder.join('image')
    writeFileSync(path, '')
    truncateSync(path, 200 * 1024 * 1024)
    runTool('mke2fs', ['-q', '-F', '-t', 'ext4', '-b', '4096', '-N', '4096', path])
    const copy = folder.join('copy')
    copyWhileMounted(folder.join('mount'), { path, copy, dataMode })
    await using image = fileImage(copy)
    const fileSystem = await openExt4(image)
    assert.deepEqual(fileSystem.allocation, { proven: false, reason: 'its journal needs recovery' })
    const found = await readFormatTree(fileSystem, image)
    assert(found.has('/later/file') && !found.has('/special'))
    assertSameTree(found, readWithKernel(folder.join('recovered'), copy))
  })
}

/** Copies an image as if the machine had lost power: what was synced is in the journal, and not all of it elsewhere. */
function copyWhileMounted(
  mountPoint: string,
  { path, copy, dataMode }: { readonly path: string; readonly copy: string; readonly dataMode: string },
): void {
  using device = loopDevice(path)
  mkdirSync(mountPoint)
  runTool('mount', ['-o', `user_xattr,acl,data=${dataMode}`, device.path, mountPoint])
  try {
    fillExt4(mountPoint, {
      entryCount: 400,
      fragmentCount: 300,
      attributeBytes: 3000,
      hasExtents: dataMode === 'ordered',
      blockSizeBytes: 4096,
    })
    runTool('sync', ['-f', mountPoint])
    rmSync(`${mountPoint}/special`, { recursive: true })
    mkdirSync(`${mountPoint}/later`)
    writeFileSync(`${mountPoint}/later/file`, 'content')
    runTool('sync', ['-f', mountPoint])
    runTool('cp', ['--sparse=always', path, copy])
  } finally {
    runTool('umount', [mountPoint])
  }
}

function readWithKernel(mountPoint: string, path: string): FileTree {
  using device = loopDevice(path)
  mkdirSync(mountPoint)
  runTool('mount', ['-o', 'ro', device.path, mountPoint])
  try {
    return readMountedTree(mountPoint)
  } finally {
    runTool('umount', [mountPoint])
  }
}

/** Fills an image through the kernel, and reads through it what is there once it was unmounted. */
function mountedTree(mountPoint: string, path: string, options: Ext4TreeOptions): FileTree {
  using device = loopDevice(path)
  mkdirSync(mountPoint)
  runTool('mount', ['-o', 'user_xattr,acl', device.path, mountPoint])
  try {
    fillExt4(mountPoint, options)
  } finally {
    runTool('umount', [mountPoint])
  }
  runTool('mount', ['-o', 'ro', device.path, mountPoint])
  try {
    return readMountedTree(mountPoint)
  } finally {
    runTool('umount', [mountPoint])
  }
}

function hashLevelsOf(path: string): number {
  const words = ['-c', 'debugfs -R "htree_dump /large" "$0" 2>&1 | head -n 20', path]
  return 1 + Number(/Indirect levels: (\d)/.exec(runTool('sh', words))?.[1])
}

function assertSameTree(found: FileTree, expected: FileTree): void {
  assert.deepEqual([...found.keys()].toSorted(), [...expected.keys()].toSorted())
  for (const [path, file] of found) {
    // Inodes of 128 bytes do not say when they were made; the kernel then shows no time, and Node.js 1970.
    const times = file.times.map((time) => (time === 'none' ? '0' : time))
    assert.deepEqual({ ...file, times }, expected.get(path), `of "${path}"`)
  }
}
