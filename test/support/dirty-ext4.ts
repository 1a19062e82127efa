import { copyFileSync, mkdirSync } from 'node:fs'

import { readMountedTree, type FileTree, type TreeFile } from './file-tree.ts'
import { loopDevice } from './loop-device.ts'
import { makeExt4 } from './make-ext4.ts'
import { runTool } from './run-tool.ts'
import type { TemporaryFolder } from './temporary-folder.ts'

const MIB = 1024 * 1024

export type DirtyExt4 = {
  /** The image as if the machine had lost power. */
  readonly path: string
  /** What the kernel showed when it was taken. */
  readonly live: FileTree
}

/**
 * A new ext4 with `words`, mounted, changed by `change` and copied while it is mounted; nothing is committed but what
 * that syncs. What `change` returns is called before it is unmounted. Needs `needsLoopDevices()`.
 */
export function dirtyExt4(
  folder: TemporaryFolder,
  words: readonly string[],
  change: (mountPoint: string) => void | (() => void),
): DirtyExt4 {
  const image = folder.join('image')
  const path = folder.join('dirty')
  makeExt4(image, { sizeBytes: 64 * MIB, words: ['-t', 'ext4', ...words] })
  const mountPoint = folder.join('changed')
  mkdirSync(mountPoint)
  using device = loopDevice(image)
  runTool('mount', ['-o', 'commit=600,noatime', device.path, mountPoint])
  let end: void | (() => void) = undefined
  try {
    end = change(mountPoint)
    runTool('cp', ['--sparse=always', image, path])
    return { path, live: readMountedTree(mountPoint) }
  } finally {
    end?.()
    runTool('umount', [mountPoint])
  }
}

/** What a mount for writing, which recovers it, makes of a copy of an image. Throws when the kernel refuses it. */
export function recoveredByKernel(folder: TemporaryFolder, path: string): FileTree {
  const copy = folder.join('recovered')
  copyFileSync(path, copy)
  const mountPoint = folder.join('mounted')
  mkdirSync(mountPoint, { recursive: true })
  using device = loopDevice(copy)
  runTool('mount', ['-o', 'noatime', device.path, mountPoint])
  try {
    return readMountedTree(mountPoint)
  } finally {
    runTool('umount', [mountPoint])
  }
}

/**
 * A tree as an object, to be compared. Of directories without what a fast commit does not say and a mount makes up: their
 * times are those of the mount, their sizes those that it comes to, and it counts no links to those that are new.
 */
export function withoutFolderDetails(tree: FileTree): Record<string, Partial<TreeFile>> {
  const files = [...tree].map(([path, file]): [string, Partial<TreeFile>] => {
    // Inodes of 128 bytes do not say when they were made; Node.js takes that for 1970.
    const [accessed = '', modified = '', changed = '', born = ''] = file.times
    const times = [accessed, modified, changed, born === 'none' ? '0' : born]
    if (file.kind !== 'directory') return [path, { ...file, times }]
    const { linkCount: _links, sizeBytes: _size, times: _times, ...rest } = file
    return [path, { ...rest, times: [accessed, times[3] ?? ''] }]
  })
  return Object.fromEntries(files.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
