import { truncateSync, writeFileSync, mkdirSync, readdirSync } from 'node:fs'

import { needsRoot, type SkipReason } from './requirements.ts'
import { runTool } from './run-tool.ts'
import { unmount } from './unmount.ts'
import { temporaryFolder } from './temporary-folder.ts'

export type CloningKind = 'xfs' | 'btrfs'

/** The smallest XFS that its tools make. */
const SIZE_BYTES = 400 * 1024 * 1024
const MAKE: Readonly<Record<CloningKind, readonly string[]>> = {
  xfs: ['mkfs.xfs', '-q'],
  btrfs: ['mkfs.btrfs', '-q'],
}

/** A mounted file system of its own, on a file. Needs `needsCloning()`. */
export type CloningFileSystem = Disposable & {
  readonly path: string
  join(...names: readonly string[]): string
  /** Unmounts and mounts it again: what is in memory only is gone. */
  remount(): void
}

export type CloningOptions = {
  readonly mountOptions?: string
  /** More words for mkfs. */
  readonly words?: readonly string[]
}

export function cloningFileSystem(kind: CloningKind, options: CloningOptions = {}): CloningFileSystem {
  const folder = temporaryFolder()
  const image = folder.join('image')
  const path = folder.join('mounted')
  writeFileSync(image, '')
  truncateSync(image, SIZE_BYTES)
  const [program = '', ...words] = MAKE[kind]
  runTool(program, [...words, ...(options.words ?? []), image])
  mkdirSync(path)
  const mount = (): void => {
    runTool('mount', ['-o', ['loop', options.mountOptions ?? []].flat().join(','), image, path])
  }
  mount()
  return {
    path,
    join: (...names) => [path, ...names].join('/'),
    remount: () => {
      unmount(path)
      mount()
    },
    [Symbol.dispose]: () => {
      unmount(path)
      folder[Symbol.dispose]()
    },
  }
}

const tried = new Map<CloningKind, SkipReason>()

/** For tests on a file system that makes clones. Tried once a process. */
export function needsCloning(kind: CloningKind): SkipReason {
  const known = tried.get(kind)
  if (known !== undefined) return known
  const reason = needsRoot() || tryCloning(kind)
  tried.set(kind, reason)
  return reason
}

function tryCloning(kind: CloningKind): SkipReason {
  try {
    using mounted = cloningFileSystem(kind)
    readdirSync(mounted.path)
    return false
  } catch (error) {
    const lines = error instanceof Error ? error.message.trim().split('\n') : [String(error)]
    return `needs ${kind} on loop devices: ${lines.at(-1)}`
  }
}
