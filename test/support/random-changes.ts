import {
  appendFileSync,
  chmodSync,
  chownSync,
  closeSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'

import type { Randomness } from '../../src/domain/randomness.ts'
import { runTool } from './run-tool.ts'

type Change = (tree: MountedTree) => void

/** A mounted file system, and chance that picks what is done to it. */
type MountedTree = {
  readonly root: string
  readonly chance: Randomness
  readonly files: readonly string[]
  readonly folders: readonly string[]
  readonly format: 'ext4' | 'xfs'
}

/** Does something to a mounted file system, `count` times; what was done depends on `chance` alone. */
export function changeAtRandom(
  root: string,
  chance: Randomness,
  { count, format }: { readonly count: number; readonly format: 'ext4' | 'xfs' },
): void {
  for (let done = 0; done < count; done += 1) {
    const change = CHANGES[chance.below(CHANGES.length)]
    const { files, folders } = listTree(root)
    change?.({ root, chance, files, folders, format })
  }
}

function listTree(root: string): { readonly files: string[]; readonly folders: string[] } {
  const files: string[] = []
  const folders: string[] = [root]
  for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' }).toSorted()) {
    // A folder of ten thousand files would leave no chance for the others.
    if (name.startsWith('many/') && !name.endsWith('7')) continue
    if (name === 'lost+found') continue
    const path = join(root, name)
    ;(lstatSync(path).isDirectory() ? folders : files).push(path)
  }
  return { files, folders }
}

function pick(chance: Randomness, from: readonly string[]): string {
  return from[chance.below(from.length)] ?? ''
}

function pickFile({ chance, files, root }: MountedTree): string {
  const regular = files.filter((path) => lstatSync(path).isFile())
  if (regular.length > 0) return pick(chance, regular)
  const path = join(root, 'only')
  writeFileSync(path, 'only')
  return path
}

function pickFolder({ chance, folders, root }: MountedTree): string | null {
  const movable = folders.filter((path) => path !== root && !path.endsWith('/many'))
  return movable.length === 0 ? null : pick(chance, movable)
}

function newPath({ chance, folders }: MountedTree): string {
  return join(pick(chance, folders), `new-${chance.below(1_000_000)}`)
}

function write(tree: MountedTree, path: string): void {
  const sizes = [0, 10, 3000, 5000, 70_000, 300_000]
  writeFileSync(path, tree.chance.bytes(sizes[tree.chance.below(sizes.length)] ?? 0))
}

/** Blocks with holes between them: more extents than an inode holds. */
function writePieces(tree: MountedTree, path: string): void {
  const file = openSync(path, 'w')
  const count = 5 + tree.chance.below(600)
  for (let index = 0; index < count; index += 1) writeSync(file, 'piece', index * 8192)
  closeSync(file)
}

const CHANGES: readonly Change[] = [
  (tree) => write(tree, newPath(tree)),
  (tree) => write(tree, newPath(tree)),
  (tree) => writePieces(tree, newPath(tree)),
  (tree) => mkdirSync(newPath(tree)),
  (tree) => symlinkSync('short', newPath(tree)),
  (tree) => symlinkSync('long/'.repeat(30), newPath(tree)),
  (tree) => runTool('mkfifo', [newPath(tree)]),
  (tree) => runTool('mknod', [newPath(tree), 'c', '5', String(tree.chance.below(1000))]),
  (tree) => write(tree, pickFile(tree)),
  (tree) => appendFileSync(pickFile(tree), tree.chance.bytes(100)),
  (tree) => truncateSync(pickFile(tree), tree.chance.below(20_000)),
  (tree) => rmSync(pickFile(tree)),
  (tree) => chmodSync(pickFile(tree), tree.chance.below(0o1000)),
  (tree) => chownSync(pickFile(tree), tree.chance.below(1000), 7),
  (tree) => utimesSync(pickFile(tree), 5, tree.chance.below(1_000_000)),
  // Read only: the time of the last access.
  (tree) => {
    const path = pickFile(tree)
    utimesSync(path, tree.chance.below(1_000_000), statSync(path).mtimeMs / 1000)
  },
  // Written in place, and dated back.
  (tree) => {
    const path = pickFile(tree)
    const { size } = statSync(path)
    runTool('cp', ['-p', '--attributes-only', path, join(tree.root, 'times')])
    const file = openSync(path, 'r+')
    writeSync(file, tree.chance.bytes(Math.min(size, 100)), 0, null, Math.floor(size / 2))
    closeSync(file)
    runTool('touch', ['-r', join(tree.root, 'times'), path])
    rmSync(join(tree.root, 'times'))
  },
  (tree) => renameSync(pickFile(tree), newPath(tree)),
  (tree) => renameSync(pickFile(tree), pickFile(tree)),
  (tree) => {
    const folder = pickFolder(tree)
    const target = newPath(tree)
    if (folder !== null && !target.startsWith(`${folder}/`)) renameSync(folder, target)
  },
  (tree) => {
    const folder = pickFolder(tree)
    if (folder !== null) rmSync(folder, { recursive: true })
  },
  (tree) => {
    const folder = pickFolder(tree)
    if (folder !== null) chmodSync(folder, 0o700 + tree.chance.below(64))
  },
  (tree) => linkSync(pickFile(tree), newPath(tree)),
  (tree) => linkSync(pickFile(tree), newPath(tree)),
  // Something of another kind under the same name, perhaps of the same number.
  (tree) => {
    const path = pickFile(tree)
    rmSync(path)
    if (tree.chance.below(2) === 0) mkdirSync(path)
    else symlinkSync('elsewhere', path)
  },
  (tree) => {
    const path = pickFile(tree)
    rmSync(path)
    writeFileSync(path, 'another of that name')
  },
  (tree) => {
    const path = pickFile(tree)
    const length = 4096 * (1 + tree.chance.below(10))
    runTool('fallocate', ['--punch-hole', '--offset', '4096', '--length', String(length), path], {
      allowedExitCodes: [0, 1],
    })
  },
  (tree) =>
    runTool('fallocate', ['--keep-size', '--length', '200000', pickFile(tree)], { allowedExitCodes: [0, 1] }),
  (tree) => runTool('setfattr', ['-n', 'user.note', '-v', `${tree.chance.below(1000)}`, pickFile(tree)]),
  // Too large for the inode: a block of its own, which ext4 shares among files that have the same.
  (tree) => {
    const value = `${tree.chance.below(2)}`.repeat(600)
    for (let index = 0; index < 3; index += 1) {
      runTool('setfattr', ['-n', 'user.large', '-v', value, pickFile(tree)])
    }
  },
  (tree) => {
    const path = tree.files.find((file) => lstatSync(file).isSymbolicLink())
    if (path !== undefined) lutimesSync(path, 1, tree.chance.below(1_000_000))
  },
  (tree) => {
    const target = newPath(tree)
    if (tree.format === 'xfs') runTool('cp', ['--reflink=always', pickFile(tree), target])
  },
]
