import { mkdirSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { needsLoopDevices } from '../../test/support/requirements.ts'
import { runTool } from '../../test/support/run-tool.ts'
import { whileMounted } from '../../test/support/xfs-image.ts'
import type { BaseDraft, FormatName } from './base.ts'
import { fillTree } from './fill-tree.ts'

const MIB = 1024 * 1024
const XFS_BYTES = 40 * MIB

const EXT4_WORDS: Readonly<Record<string, readonly string[]>> = {
  'ext4 with blocks of 1 KiB': ['-t', 'ext4', '-b', '1024', '-O', 'metadata_csum,64bit', '-J', 'size=1'],
  'ext4 with all in inodes': [
    '-t',
    'ext4',
    '-b',
    '4096',
    '-I',
    '512',
    '-O',
    'inline_data,metadata_csum,ea_inode,^has_journal',
  ],
  'ext4 with clusters': [
    '-t',
    'ext4',
    '-b',
    '4096',
    '-C',
    '16384',
    '-O',
    'bigalloc,metadata_csum,^has_journal',
  ],
  'ext4 with old checksums': [
    '-t',
    'ext4',
    '-b',
    '1024',
    '-O',
    '^metadata_csum,uninit_bg,meta_bg,^resize_inode',
    '-J',
    'size=1',
  ],
  ext2: ['-t', 'ext2', '-b', '1024'],
}

export function makeExt4Images(folder: string): BaseDraft[] {
  const tree = join(folder, 'tree')
  mkdirSync(tree)
  fillTree(tree)
  const drafts = Object.entries(EXT4_WORDS).map(([name, words], index) => {
    const path = join(folder, `ext4-${index}`)
    makeFile(path, 8 * MIB)
    runTool('mke2fs', ['-q', '-F', ...words, '-d', tree, path])
    return baseOf(name, path, 'ext4')
  })
  return [...drafts, journalWithContent(folder, tree)]
}

/** As after a crash: some blocks are in the journal only. */
function journalWithContent(folder: string, tree: string): BaseDraft {
  const path = join(folder, 'ext4-journal')
  makeFile(path, 8 * MIB)
  runTool('mke2fs', [
    '-q',
    '-F',
    '-t',
    'ext4',
    '-b',
    '1024',
    '-O',
    'metadata_csum',
    '-J',
    'size=1',
    '-d',
    tree,
    path,
  ])
  const zeros = join(folder, 'zeros')
  makeFile(zeros, 64 * 1024)
  const requests = ['jo -c', `jw -b 5000-5020 ${zeros}`, 'jw -r 5003-5005', 'jc']
  runTool('debugfs', ['-w', '-f', '-', path], { input: `${requests.join('\n')}\n` })
  return baseOf('ext4 with a journal to replay', path, 'ext4')
}

const XFS_WORDS: Readonly<Record<string, readonly string[]>> = {
  'XFS with blocks of 4 KiB': ['-l', 'size=6m', '-m', 'reflink=1'],
  'XFS with blocks of 1 KiB': [
    '-b',
    'size=1024',
    '-l',
    'size=3m',
    '-m',
    'finobt=1,reflink=0',
    '-i',
    'size=512',
  ],
  'XFS version 4': ['-b', 'size=1024', '-l', 'size=3m', '-m', 'crc=0', '-i', 'size=256', '-n', 'ftype=0'],
}

export function makeXfsImages(folder: string): BaseDraft[] {
  return Object.entries(XFS_WORDS).map(([name, words], index) => {
    const path = join(folder, `xfs-${index}`)
    makeFile(path, XFS_BYTES)
    // Smaller than mkfs thinks useful, so that a case takes milliseconds.
    const usual = ['-q', '-f', '--unsupported', '-d', 'agcount=2']
    // Kernels without version 4 are usual.
    if (needsLoopDevices() === false && !words.includes('crc=0')) {
      runTool('mkfs.xfs', [...usual, ...words, path])
      whileMounted(path, join(folder, `xfs-mount-${index}`), () =>
        fillTree(join(folder, `xfs-mount-${index}`)),
      )
    } else {
      runTool('mkfs.xfs', [...usual, ...words, '-p', protofile(folder), path])
    }
    return baseOf(name, path, 'xfs')
  })
}

/** What needs no mount: files of one block, links, and a directory of several blocks. */
function protofile(folder: string): string {
  const path = join(folder, 'protofile')
  const content = join(folder, 'protofile-content')
  writeFileSync(content, new Uint8Array(9000).fill(3))
  const files = Array.from({ length: 200 }, (_, index) => `${'n'.repeat(60)}${index} ---644 0 0 ${content}`)
  const lines = [
    '/dev/null',
    '0 0',
    'd--755 0 0',
    'directory d--755 0 0',
    ...files,
    '$',
    'link l--777 0 0 directory',
    '$',
  ]
  writeFileSync(path, `${lines.join('\n')}\n`)
  return path
}

export function makeFile(path: string, sizeBytes: number): void {
  writeFileSync(path, '')
  truncateSync(path, sizeBytes)
}

export function baseOf(name: string, path: string, format: FormatName): BaseDraft {
  const { size: sizeBytes } = statSync(path)
  return { name, files: [{ path, sizeBytes }], parts: [{ format, image: 0, offset: 0, sizeBytes }] }
}
